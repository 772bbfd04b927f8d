// Pooling, batch norms and addition, forward and backward.
#include "test/ops/op_test.h"

namespace fer {
namespace {

class PoolAddOpTest : public OpTest {};

TEST_P(PoolAddOpTest, MatchesPyTorch) {
  const Shape shape{.n = c.n, .size = c.size, .in_channels = c.in, .out_channels = c.in, .half = half};
  const Memory main = load_activations("main"), side = load_activations("side"), g = load_activations("g");
  Norm main_norm(*backend, c.at("main_gamma"), c.at("main_beta")), side_norm(*backend, c.at("side_gamma"), c.at("side_beta"));
  main_norm.measure(c.at("main"));
  side_norm.measure(c.at("side"));
  const size_t count = c.at("out").size();
  const Memory out = activations(count), argmax = room(count / sizeof(float) + 1);
  auto* taps = reinterpret_cast<uint8_t*>(static_cast<float*>(argmax));
  backend->run(PoolAddForward{
      .shape = shape, .main_z = main, .main_bn = &main_norm.bn, .shortcut_z = side, .shortcut_bn = &side_norm.bn, .out = out, .argmax = taps});
  expect_close(out.values(), c.at("out"), "out");
  backend->run(PoolAddBackward{
      .shape = shape, .g = g, .argmax = taps, .main_z = main, .main_bn = &main_norm.bn, .shortcut_z = side, .shortcut_bn = &side_norm.bn});
  expect_close(main_norm.d_gamma(), c.at("d_main_gamma"), "d_main_gamma");
  expect_close(main_norm.d_beta(), c.at("d_main_beta"), "d_main_beta");
  expect_close(side_norm.d_gamma(), c.at("d_side_gamma"), "d_side_gamma");
  expect_close(side_norm.d_beta(), c.at("d_side_beta"), "d_side_beta");
  expect_close(side_norm.backward(c.at("g"), c.at("side")), c.at("d_side"), "d_side");
  // The main path's dz is formed by the separable convolution that reads it: with an identity weight, its dx shows it.
  std::vector<float> centre(9 * c.in), identity(static_cast<size_t>(c.in) * c.in);
  for (int i = 0; i < c.in; ++i) centre[4 * c.in + i] = identity[static_cast<size_t>(i) * c.in + i] = 1;
  const Memory depthwise(*backend, centre), pointwise(*backend, identity), d_depthwise = room(centre.size()), d_pointwise = room(identity.size());
  const Memory dx = activations(c.at("main").size());
  backend->run(SeparableBackward{.shape = shape,
                                 .up = {.g = g, .argmax = taps, .z = main, .bn = &main_norm.bn},
                                 .in = {.z = main, .bn = nullptr},
                                 .d = main,
                                 .depthwise = depthwise,
                                 .pointwise = pointwise,
                                 .d_depthwise = d_depthwise,
                                 .d_pointwise = d_pointwise,
                                 .shortcut_dx = nullptr,
                                 .dx = dx});
  expect_close(dx.values(), c.at("d_main"), "d_main");
}

FER_OP_CASES(PoolAddOpTest, "pool_add");

}  // namespace
}  // namespace fer
