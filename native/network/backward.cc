// The fused ops of a backward pass, a function a kind; training and explanations differ by their rule.
#include "network/walk.h"

namespace fer {

// Goes from the last op to the first and keeps where the gradient of each value lies.
class Pass::BackwardOps {
 public:
  BackwardOps(const Pass& pass, const Weights& weights, int n, const BackwardRule& rule)
      : pass_(pass), rule_(rule), at_(pass, weights, n), to_(rule.to < 0 ? -1 : pass.fusion_.seen[rule.to].stored), n_(n) {
    const std::span<const BatchNorm> upstream = rule.upstream.empty() ? std::span<const BatchNorm>(weights.norms) : rule.upstream;
    gradients_.resize(pass.plan_.values.size());
    for (const FusedOp& f : pass.fusion_.ops)
      gradients_[f.out] = {.g = at_.gradient(f.out), .argmax = nullptr, .z = at_.stored(f.out), .bn = f.norm < 0 ? nullptr : &upstream[f.norm]};
  }

  std::vector<Op> ops() {
    for (size_t i = pass_.fusion_.ops.size(); i-- > 0;) {
      if (at_.op(i).out == to_) break;
      add(i);
    }
    return std::move(ops_);
  }

 private:
  void add(size_t i) {
    switch (at_.op(i).kind) {
      case FusedKind::kConvolution:
        convolution(i);
        break;
      case FusedKind::kSeparable:
        separable(i);
        break;
      case FusedKind::kShortcut:
        break;  // with the separable convolution that reads the same value
      case FusedKind::kPoolAdd:
        pool_add(i);
        break;
      case FusedKind::kHead:
        head(i);
        break;
    }
  }

  void head(size_t i) {
    ops_.emplace_back(HeadBackward{.shape = at_.shape(i),
                                   .classes = at_.value(at_.op(i).out).channels,
                                   .d_logits = gradients_[at_.op(i).out].g,
                                   .x = at_.in(i).z,
                                   .taps = at_.taps(i),
                                   .weight = at_.weight(i, 0),
                                   .d_weight = at_.d_weight(i, 0),
                                   .d_bias = at_.d_weight(i, 1),
                                   .dx = at_.gradient(at_.op(i).in.stored)});
  }

  // Both addends have the sum's gradient; the main path's goes to the taps of the maxima, which its reader collects.
  void pool_add(size_t i) {
    const FusedOp& f = at_.op(i);
    gradients_[f.in.stored].g = gradients_[f.side.stored].g = at_.gradient(f.out);
    gradients_[f.in.stored].argmax = at_.argmax(i);
    if (rule_.batch_statistics)
      ops_.emplace_back(PoolAddBackward{.shape = at_.shape(i),
                                        .g = at_.gradient(f.out),
                                        .argmax = at_.argmax(i),
                                        .main_z = at_.stored(f.in.stored),
                                        .main_bn = at_.norm(f.in.norm),
                                        .shortcut_z = at_.stored(f.side.stored),
                                        .shortcut_bn = at_.norm(f.side.norm)});
  }

  void separable(size_t i) {
    // The shortcut comes first: this op adds its share.
    const bool joined = i > 0 && at_.op(i - 1).kind == FusedKind::kShortcut && at_.op(i - 1).in.stored == at_.op(i).in.stored;
    if (joined) shortcut(i - 1);
    ops_.emplace_back(SeparableBackward{.shape = at_.shape(i),
                                        .up = gradients_[at_.op(i).out],
                                        .in = read(i),
                                        .d = at_.depthwise(i),
                                        .depthwise = at_.weight(i, 0),
                                        .pointwise = at_.weight(i, 1),
                                        .d_depthwise = at_.d_weight(i, 0),
                                        .d_pointwise = at_.d_weight(i, 1),
                                        .shortcut_dx = joined ? at_.aside(i - 1) : nullptr,
                                        .dx = at_.gradient(at_.op(i).in.stored)});
    guide(i);
  }

  void shortcut(size_t i) {
    ops_.emplace_back(ShortcutBackward{.shape = at_.shape(i),
                                       .up = gradients_[at_.op(i).out],
                                       .in = read(i),
                                       .weight = at_.weight(i),
                                       .d_weight = at_.d_weight(i),
                                       .dx = at_.aside(i)});
  }

  void convolution(size_t i) {
    const bool first = at_.op(i).in.stored == 0;
    ConvolutionBackward op{.shape = at_.shape(i),
                           .up = gradients_[at_.op(i).out],
                           .in = read(i),
                           .weight = at_.weight(i),
                           .d_weight = at_.d_weight(i),
                           .dx = first ? nullptr : at_.gradient(at_.op(i).in.stored)};
    if (first && rule_.input) {
      op.shape.in_channels = rule_.input->channels;
      op.in = {.z = rule_.input->x, .bn = nullptr};
      op.weight = rule_.input->weight;
      op.d_weight = rule_.input->d_weight;
      op.dx = at_.gradient(0);
    }
    ops_.emplace_back(op);
    guide(i);
  }

  // Ops mask by the ReLU of a normalised input. The value asked for is read without: its gradient is that of what the
  // ReLU gives, and what the ops make of the input itself, gradients of weights, is of no use here.
  View read(size_t i) const { return at_.op(i).in.stored == to_ ? View{.z = at_.in(i).z, .bn = nullptr} : at_.in(i); }

  void guide(size_t i) {
    const int in = at_.op(i).in.stored;
    if (rule_.guided && read(i).bn) ops_.emplace_back(Rectify{.count = n_ * at_.value(in).floats(), .values = at_.gradient(in)});
  }

  const Pass& pass_;
  const BackwardRule& rule_;
  const Walk at_;
  const int to_;  // stored
  const int n_;
  std::vector<Upstream> gradients_;  // of what readers of each stored value see
  std::vector<Op> ops_;
};

std::vector<Op> Pass::backward(const Weights& weights, int n, const BackwardRule& rule) const { return BackwardOps(*this, weights, n, rule).ops(); }

}  // namespace fer
