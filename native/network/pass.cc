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

// Whether activations lie in memory as bf16. Explanations look into them: float32. The last op's output is the logits.
bool keeps_half(const Backend& backend, const Plan& plan, const Fusion& fusion, Purpose purpose) {
  int fewest = INT_MAX;
  for (size_t i = 0; i + 1 < fusion.ops.size(); ++i) fewest = std::min(fewest, plan.values[fusion.ops[i].out].padded);
  return purpose != Purpose::kExplanation && backend.keeps_half(fewest);
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
  const bool keeps = purpose != Purpose::kInference, half = keeps_half(backend, plan, fusion, purpose);
  const int last_value = static_cast<int>(plan.values.size()) - 1;
  // Floats that a value's activations, or as many others, take: the picture and the logits are never stored as bf16.
  auto stored_floats = [&](int value, size_t count) { return half && value != 0 && value != last_value ? (count + 1) / 2 : count; };
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
    int last = value == last_value || keeps ? kEver : from;
    for (int i = 0; i < steps; ++i)
      if (fusion.ops[i].in.stored == value || (fusion.ops[i].kind == FusedKind::kPoolAdd && fusion.ops[i].side.stored == value))
        last = std::max(last, i);
    want(floats, float_places, at.stored[value],
         {.size = stored_floats(value, plan.values[value].floats()), .first = keeps ? -1 : from, .last = last});
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
    want(gradients, gradient_places, at.aside[i], {.size = stored_floats(op.in.stored, aside_floats(plan, op)), .first = i, .last = i + 1});
    if (writes_gradient_of_input(op) && (op.in.stored != 0 || purpose == Purpose::kExplanation)) {
      Piece piece = gradient_piece(plan, fusion, i, backend.channel_alignment());
      piece.size = stored_floats(op.in.stored, piece.size);
      want(gradients, gradient_places, at.gradients[op.in.stored], piece);
    }
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
      half_(keeps_half(backend, plan, fusion, purpose)),
      at_(lay_out_all(backend, plan, fusion, purpose)),
      floats_(backend, at_.floats * batch),
      gradients_(backend, at_.gradient_floats * batch),
      flags_(backend, at_.flags * batch) {}

}  // namespace fer
