// The 1x1 convolution of stride 2, forward and backward.
#include "test/ops/op_test.h"

namespace fer {
namespace {

class ShortcutOpTest : public OpTest {};

TEST_P(ShortcutOpTest, MatchesPyTorch) {
  const Shape shape{.n = c.n, .size = c.size, .in_channels = c.in, .out_channels = c.out, .half = half};
  const Memory in = load_activations("in"), weight = load("weight"), g = load_activations("g");
  const View view{.z = in, .bn = nullptr};
  Norm norm = plain_norm(c.out);
  const Memory z = activations(c.at("out").size());
  backend->run(ShortcutForward{.shape = shape, .in = view, .weight = weight, .z = z, .bn = &norm.bn, .training = true});
  expect_close(z.values(), c.at("out"), "out");
  expect_statistics(norm);
  const Memory d_weight = room(c.at("weight").size()), dx = activations(c.at("d_even").size());
  backend->run(ShortcutBackward{
      .shape = shape, .up = {.g = g, .argmax = nullptr, .z = z, .bn = &norm.bn}, .in = view, .weight = weight, .d_weight = d_weight, .dx = dx});
  expect_close(d_weight.values(), c.at("d_weight"), "d_weight");
  expect_close(dx.values(), c.at("d_even"), "d_even");
}

FER_OP_CASES(ShortcutOpTest, "shortcut");

}  // namespace
}  // namespace fer
