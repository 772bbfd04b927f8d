// The fused ops of a forward pass, a function a kind.
#include "network/walk.h"

namespace fer {

class Pass::ForwardOps {
 public:
  ForwardOps(const Pass& pass, const Weights& weights, int n, bool training) : pass_(pass), at_(pass, weights, n), training_(training) {}

  std::vector<Op> ops() const {
    std::vector<Op> ops;
    ops.reserve(pass_.fusion_.ops.size());
    for (size_t i = 0; i < pass_.fusion_.ops.size(); ++i) ops.push_back(op(i));
    return ops;
  }

 private:
  Op op(size_t i) const {
    switch (at_.op(i).kind) {
      case FusedKind::kConvolution:
        return convolution(i);
      case FusedKind::kSeparable:
        return separable(i);
      case FusedKind::kShortcut:
        return shortcut(i);
      case FusedKind::kPoolAdd:
        return pool_add(i);
      case FusedKind::kHead:
        return head(i);
    }
    return {};
  }

  Op convolution(size_t i) const {
    return ConvolutionForward{
        .shape = at_.shape(i), .in = at_.in(i), .weight = at_.weight(i), .z = at_.out(i), .bn = at_.out_norm(i), .training = training_};
  }

  Op separable(size_t i) const {
    return SeparableForward{.shape = at_.shape(i),
                            .in = at_.in(i),
                            .depthwise = at_.weight(i, 0),
                            .pointwise = at_.weight(i, 1),
                            .d = at_.depthwise(i),
                            .z = at_.out(i),
                            .bn = at_.out_norm(i),
                            .training = training_};
  }

  Op shortcut(size_t i) const {
    return ShortcutForward{
        .shape = at_.shape(i), .in = at_.in(i), .weight = at_.weight(i), .z = at_.out(i), .bn = at_.out_norm(i), .training = training_};
  }

  Op pool_add(size_t i) const {
    const FusedOp& f = at_.op(i);
    return PoolAddForward{.shape = at_.shape(i),
                          .main_z = at_.stored(f.in.stored),
                          .main_bn = at_.norm(f.in.norm),
                          .shortcut_z = at_.stored(f.side.stored),
                          .shortcut_bn = at_.norm(f.side.norm),
                          .out = at_.out(i),
                          .argmax = at_.argmax(i)};
  }

  Op head(size_t i) const {
    return HeadForward{
        .shape = at_.shape(i), .x = at_.in(i).z, .weight = at_.weight(i, 0), .bias = at_.weight(i, 1), .taps = at_.taps(i), .logits = at_.out(i)};
  }

  const Pass& pass_;
  const Walk at_;
  const bool training_;
};

std::vector<Op> Pass::forward(const Weights& weights, int n, bool training) const { return ForwardOps(*this, weights, n, training).ops(); }

}  // namespace fer
