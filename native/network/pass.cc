#include "network/pass.h"

#include <algorithm>
#include <climits>

#include "network/layout.h"

namespace fer {
namespace {

constexpr int kEver = INT_MAX;

// Padded floats of an image between a separable convolution's two halves, or of the head's nine windowed means.
size_t inner_floats(const Plan& plan, const FusedOp& op) {
  return op.kind == FusedKind::kSeparable ? plan.values[op.inner].floats()
         : op.kind == FusedKind::kHead    ? size_t{9} * plan.values[op.in.stored].padded
                                          : 0;
}

bool writes_gradient_of_input(const FusedOp& op) { return op.kind != FusedKind::kPoolAdd && op.kind != FusedKind::kShortcut; }

// The gradient of the shortcut's input, at the even pixels.
size_t aside_floats(const Plan& plan, const FusedOp& op) {
  return op.kind == FusedKind::kShortcut ? plan.values[op.out].pixels() * plan.values[op.in.stored].padded : 0;
}

// Steps, by forward order, from the first that reads a value's gradient (going back, the last) to the one that writes it.
Piece gradient_piece(const Plan& plan, const Fusion& fusion, int writer, int input_channels) {
  const int value = fusion.ops[writer].in.stored;
  if (value == 0) return {.size = plan.values[0].pixels() * input_channels, .first = -1, .last = writer};
  auto maker_of = [&](int stored) {
    const auto found = std::find_if(fusion.ops.begin(), fusion.ops.end(), [&](const FusedOp& op) { return op.out == stored; });
    return static_cast<int>(found - fusion.ops.begin());
  };
  int first = maker_of(value);
  if (const FusedOp& maker = fusion.ops[first]; maker.kind == FusedKind::kPoolAdd)  // hands the same gradient to both of its inputs
    first = std::min(maker_of(maker.in.stored), maker_of(maker.side.stored));
  return {.size = plan.values[value].floats(), .first = first, .last = writer};
}

}  // namespace

Pass::Offsets Pass::lay_out_all(const Backend& backend, const Plan& plan, const Fusion& fusion, Purpose purpose) {
  const bool keeps = purpose != Purpose::kInference;
  const auto steps = static_cast<int>(fusion.ops.size());
  Offsets at{.stored = std::vector<size_t>(plan.values.size()),
             .gradients = std::vector<size_t>(plan.values.size()),
             .inner = std::vector<size_t>(fusion.ops.size()),
             .argmax = std::vector<size_t>(fusion.ops.size()),
             .aside = std::vector<size_t>(fusion.ops.size())};
  std::vector<Piece> floats, gradients;
  std::vector<size_t*> float_places, gradient_places;
  auto want = [](std::vector<Piece>& pieces, std::vector<size_t*>& places, size_t& place, Piece piece) {
    if (piece.size == 0) return;
    pieces.push_back(piece);
    places.push_back(&place);
  };
  auto want_stored = [&](int value, int from) {
    int last = value == static_cast<int>(plan.values.size()) - 1 || keeps ? kEver : from;
    for (int i = 0; i < steps; ++i)
      if (fusion.ops[i].in.stored == value || (fusion.ops[i].kind == FusedKind::kPoolAdd && fusion.ops[i].side.stored == value))
        last = std::max(last, i);
    want(floats, float_places, at.stored[value], {.size = plan.values[value].floats(), .first = keeps ? -1 : from, .last = last});
  };

  want_stored(0, -1);
  for (int i = 0; i < steps; ++i) {
    const FusedOp& op = fusion.ops[i];
    want_stored(op.out, i);
    if (op.kind == FusedKind::kHead || (keeps && backend.keeps_depthwise()))
      want(floats, float_places, at.inner[i], {.size = inner_floats(plan, op), .first = keeps ? -1 : i, .last = keeps ? kEver : i});
    if (!keeps) continue;
    if (op.kind == FusedKind::kPoolAdd) {
      at.argmax[i] = at.flags;
      at.flags += (plan.values[op.out].floats() + 63) / 64 * 64;
    }
    want(gradients, gradient_places, at.aside[i], {.size = aside_floats(plan, op), .first = i, .last = i + 1});
    if (writes_gradient_of_input(op) && (op.in.stored != 0 || purpose == Purpose::kExplanation))
      want(gradients, gradient_places, at.gradients[op.in.stored], gradient_piece(plan, fusion, i, backend.channel_alignment()));
  }
  if (keeps) want(gradients, gradient_places, at.gradients.back(), {.size = plan.values.back().floats(), .first = steps - 1, .last = steps});

  auto place = [](const std::vector<Piece>& pieces, const std::vector<size_t*>& places) {
    const Layout layout = lay_out(pieces);
    for (size_t i = 0; i < places.size(); ++i) *places[i] = layout.offsets[i];
    return layout.size;
  };
  at.floats = place(floats, float_places);
  at.gradient_floats = place(gradients, gradient_places);
  return at;
}

size_t Pass::bytes_an_image(const Backend& backend, const Plan& plan, const Fusion& fusion, Purpose purpose) {
  const Offsets at = lay_out_all(backend, plan, fusion, purpose);
  return (at.floats + at.gradient_floats) * sizeof(float) + at.flags;
}

size_t Pass::largest_gradient(const Plan& plan, const Fusion& fusion) {
  size_t largest = 0;
  for (const FusedOp& op : fusion.ops)
    if (op.in.stored != 0) largest = std::max(largest, plan.values[op.in.stored].floats());
  return largest;
}

Pass::Pass(Backend& backend, const Plan& plan, const Fusion& fusion, Purpose purpose, int batch)
    : plan_(plan),
      fusion_(fusion),
      batch_(batch),
      keeps_depthwise_(purpose != Purpose::kInference && backend.keeps_depthwise()),
      keeps_maxima_(purpose != Purpose::kInference),
      at_(lay_out_all(backend, plan, fusion, purpose)),
      floats_(backend, at_.floats * batch),
      gradients_(backend, at_.gradient_floats * batch),
      flags_(backend, at_.flags * batch) {}

// What forward and backward know of each op: its operands, bound.
class Pass::Walk {
 public:
  Walk(const Pass& pass, const Weights& weights, int n) : pass_(pass), weights_(weights), n_(n) {}

  const FusedOp& op(size_t i) const { return pass_.fusion_.ops[i]; }
  Shape shape(size_t i) const {
    const FusedOp& f = op(i);
    const Value &in = pass_.plan_.values[f.in.stored], &out = pass_.plan_.values[f.out];
    return {.n = n_, .size = in.size, .in_channels = in.padded, .out_channels = out.padded};
  }
  View in(size_t i) const { return {.z = stored(op(i).in.stored), .bn = norm(op(i).in.norm)}; }
  float* out(size_t i) const { return stored(op(i).out); }
  float* stored(int value) const { return pass_.stored(value); }
  BatchNorm* norm(int index) const { return index < 0 ? nullptr : &weights_.norms[index]; }
  const float* weight(size_t i, int which = 0) const { return weights_.parameters + offset(i, which); }
  float* d_weight(size_t i, int which = 0) const { return weights_.gradients + offset(i, which); }
  float* depthwise(size_t i) const { return pass_.keeps_depthwise_ ? taps(i) : nullptr; }
  float* taps(size_t i) const { return pass_.floats_.data() + pass_.at_.inner[i] * pass_.batch_; }
  uint8_t* argmax(size_t i) const { return pass_.keeps_maxima_ ? pass_.flags_.data() + pass_.at_.argmax[i] * pass_.batch_ : nullptr; }
  float* aside(size_t i) const { return pass_.gradients_.data() + pass_.at_.aside[i] * pass_.batch_; }

 private:
  size_t offset(size_t i, int which) const { return pass_.plan_.tensors[op(i).tensors[which]].offset; }

  const Pass& pass_;
  const Weights& weights_;
  int n_;
};

std::vector<Op> Pass::forward(const Weights& weights, int n, bool training) const {
  const Walk at(*this, weights, n);
  std::vector<Op> ops;
  for (size_t i = 0; i < fusion_.ops.size(); ++i) {
    const FusedOp& f = at.op(i);
    switch (f.kind) {
      case FusedKind::kConvolution:
        ops.emplace_back(ConvolutionForward{
            .shape = at.shape(i), .in = at.in(i), .weight = at.weight(i), .z = at.out(i), .bn = at.norm(f.norm), .training = training});
        break;
      case FusedKind::kSeparable:
        ops.emplace_back(SeparableForward{.shape = at.shape(i),
                                          .in = at.in(i),
                                          .depthwise = at.weight(i, 0),
                                          .pointwise = at.weight(i, 1),
                                          .d = at.depthwise(i),
                                          .z = at.out(i),
                                          .bn = at.norm(f.norm),
                                          .training = training});
        break;
      case FusedKind::kShortcut:
        ops.emplace_back(ShortcutForward{
            .shape = at.shape(i), .in = at.in(i), .weight = at.weight(i), .z = at.out(i), .bn = at.norm(f.norm), .training = training});
        break;
      case FusedKind::kPoolAdd:
        ops.emplace_back(PoolAddForward{.shape = at.shape(i),
                                        .main_z = at.stored(f.in.stored),
                                        .main_bn = at.norm(f.in.norm),
                                        .shortcut_z = at.stored(f.side.stored),
                                        .shortcut_bn = at.norm(f.side.norm),
                                        .out = at.out(i),
                                        .argmax = at.argmax(i)});
        break;
      case FusedKind::kHead:
        ops.emplace_back(HeadForward{
            .shape = at.shape(i), .x = at.in(i).z, .weight = at.weight(i, 0), .bias = at.weight(i, 1), .taps = at.taps(i), .logits = at.out(i)});
        break;
    }
  }
  return ops;
}

std::vector<Op> Pass::backward(const Weights& weights, int n, const BackwardRule& rule) const {
  const Walk at(*this, weights, n);
  const std::span<const BatchNorm> upstream = rule.upstream.empty() ? std::span<const BatchNorm>(weights.norms) : rule.upstream;
  const int to = rule.to < 0 ? -1 : fusion_.seen[rule.to].stored;
  std::vector<Op> ops;
  // The gradient of what readers of each value see. Pooling hands on the sum's own, with the taps it is scattered to.
  std::vector<Upstream> gradients(plan_.values.size());
  for (const FusedOp& f : fusion_.ops)
    gradients[f.out] = {.g = gradient(f.out), .argmax = nullptr, .z = stored(f.out), .bn = f.norm < 0 ? nullptr : &upstream[f.norm]};
  // Ops mask by the ReLU of a normalised input. The value asked for is read without: its gradient is that of what the
  // ReLU gives, and what the ops make of the input itself, gradients of weights, is of no use here.
  auto read = [&](size_t i) { return at.op(i).in.stored == to ? View{.z = at.in(i).z, .bn = nullptr} : at.in(i); };
  auto shortcut = [&](size_t i) {
    ops.emplace_back(ShortcutBackward{
        .shape = at.shape(i), .up = gradients[at.op(i).out], .in = read(i), .weight = at.weight(i), .d_weight = at.d_weight(i), .dx = at.aside(i)});
    return at.aside(i);
  };

  for (size_t i = fusion_.ops.size(); i-- > 0;) {
    const FusedOp& f = at.op(i);
    if (f.out == to) break;
    const bool of_input = f.in.stored == 0;
    switch (f.kind) {
      case FusedKind::kHead:
        ops.emplace_back(HeadBackward{.shape = at.shape(i),
                                      .classes = plan_.values[f.out].channels,
                                      .d_logits = d_logits(),
                                      .taps = at.taps(i),
                                      .weight = at.weight(i, 0),
                                      .d_weight = at.d_weight(i, 0),
                                      .d_bias = at.d_weight(i, 1),
                                      .dx = gradient(f.in.stored)});
        break;
      case FusedKind::kPoolAdd:
        gradients[f.in.stored].g = gradients[f.side.stored].g = gradient(f.out);
        gradients[f.in.stored].argmax = at.argmax(i);
        if (rule.batch_statistics)
          ops.emplace_back(PoolAddBackward{.shape = at.shape(i),
                                           .g = gradient(f.out),
                                           .argmax = at.argmax(i),
                                           .main_z = at.stored(f.in.stored),
                                           .main_bn = at.norm(f.in.norm),
                                           .shortcut_z = at.stored(f.side.stored),
                                           .shortcut_bn = at.norm(f.side.norm)});
        break;
      case FusedKind::kSeparable: {
        // The shortcut that reads the same value comes first: this op adds its share.
        const bool joined = i > 0 && at.op(i - 1).kind == FusedKind::kShortcut && at.op(i - 1).in.stored == f.in.stored;
        const float* share = joined ? shortcut(i - 1) : nullptr;
        ops.emplace_back(SeparableBackward{.shape = at.shape(i),
                                           .up = gradients[f.out],
                                           .in = read(i),
                                           .d = at.depthwise(i),
                                           .depthwise = at.weight(i, 0),
                                           .pointwise = at.weight(i, 1),
                                           .d_depthwise = at.d_weight(i, 0),
                                           .d_pointwise = at.d_weight(i, 1),
                                           .shortcut_dx = share,
                                           .dx = gradient(f.in.stored)});
        break;
      }
      case FusedKind::kShortcut:
        continue;  // with the separable convolution after it
      case FusedKind::kConvolution: {
        ConvolutionBackward op{.shape = at.shape(i),
                               .up = gradients[f.out],
                               .in = read(i),
                               .weight = at.weight(i),
                               .d_weight = at.d_weight(i),
                               .dx = of_input ? nullptr : gradient(f.in.stored)};
        if (of_input && rule.input) {
          op.shape.in_channels = rule.input->channels;
          op.in = {.z = rule.input->x, .bn = nullptr};
          op.weight = rule.input->weight;
          op.d_weight = rule.input->d_weight;
          op.dx = gradient(0);
        }
        ops.emplace_back(op);
        break;
      }
    }
    if (rule.guided && f.kind != FusedKind::kPoolAdd && read(i).bn)
      ops.emplace_back(Rectify{.count = n * plan_.values[f.in.stored].floats(), .values = gradient(f.in.stored)});
  }
  return ops;
}

}  // namespace fer
