// The separable convolution, forward and backward.
#include "test/ops/op_test.h"

namespace fer {
namespace {

class SeparableOpTest : public OpTest {};

TEST_P(SeparableOpTest, MatchesPyTorch) {
  const Shape shape{.n = c.n, .size = c.size, .in_channels = c.in, .out_channels = c.out, .half = half};
  const Memory in = load_activations("in"), depthwise = load("depthwise"), pointwise = load("pointwise"), g = load_activations("g");
  auto in_norm = input_norm();
  const View view{.z = in, .bn = in_norm ? &in_norm->bn : nullptr};
  Norm norm = plain_norm(c.out);
  const Memory d = activations(c.at("in").size()), z = activations(c.at("out").size());
  SeparableForward forward{
      .shape = shape, .in = view, .depthwise = depthwise, .pointwise = pointwise, .d = d, .z = z, .bn = &norm.bn, .training = true};
  backend->run(forward);
  expect_close(z.values(), c.at("out"), "out");
  expect_statistics(norm);
  const Memory d_depthwise = room(c.at("depthwise").size()), d_pointwise = room(c.at("pointwise").size()), dx = activations(c.at("in").size());
  backend->run(SeparableBackward{.shape = shape,
                                 .up = {.g = g, .argmax = nullptr, .z = z, .bn = &norm.bn},
                                 .in = view,
                                 .d = d,
                                 .depthwise = depthwise,
                                 .pointwise = pointwise,
                                 .d_depthwise = d_depthwise,
                                 .d_pointwise = d_pointwise,
                                 .shortcut_dx = nullptr,
                                 .dx = dx});
  expect_close(d_depthwise.values(), c.at("d_depthwise"), "d_depthwise");
  expect_close(d_pointwise.values(), c.at("d_pointwise"), "d_pointwise");
  expect_input_gradient(dx, in_norm);
  // Inference keeps no depthwise result and leaves the statistics alone.
  Norm untouched = plain_norm(c.out);
  const Memory again = activations(c.at("out").size());
  forward.d = nullptr;
  forward.z = again;
  forward.bn = &untouched.bn;
  forward.training = false;
  backend->run(forward);
  expect_close(again.values(), c.at("out"), "inference out");
  expect_close(untouched.running_mean(), std::vector<float>(c.out), "untouched running mean");
}

FER_OP_CASES(SeparableOpTest, "separable");

}  // namespace
}  // namespace fer
