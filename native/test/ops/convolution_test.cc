// The 3x3 convolution, forward and backward.
#include "test/ops/op_test.h"

namespace fer {
namespace {

class ConvolutionOpTest : public OpTest {};

TEST_P(ConvolutionOpTest, MatchesPyTorch) {
  const Shape shape{.n = c.n, .size = c.size, .in_channels = c.in, .out_channels = c.out, .half = half};
  const Memory in = c.flag ? load_activations("in") : load("in"), weight = load("weight"), g = load_activations("g");
  auto in_norm = input_norm();
  const View view{.z = in, .bn = in_norm ? &in_norm->bn : nullptr};
  Norm norm = plain_norm(c.out);
  const Memory z = activations(c.at("out").size());
  backend->run(ConvolutionForward{.shape = shape, .in = view, .weight = weight, .z = z, .bn = &norm.bn, .training = true});
  expect_close(z.values(), c.at("out"), "out");
  expect_statistics(norm);
  const Memory d_weight = room(c.at("weight").size()), dx = activations(c.at("in").size());
  // The first layer of a network needs no gradient of its input, and the core asks for none.
  const bool first = c.in == 1;
  backend->run(ConvolutionBackward{.shape = shape,
                                   .up = {.g = g, .argmax = nullptr, .z = z, .bn = &norm.bn},
                                   .in = view,
                                   .weight = weight,
                                   .d_weight = d_weight,
                                   .dx = first ? nullptr : static_cast<float*>(dx)});
  expect_close(d_weight.values(), c.at("d_weight"), "d_weight");
  if (!first) expect_input_gradient(dx, in_norm);
}

FER_OP_CASES(ConvolutionOpTest, "convolution");

}  // namespace
}  // namespace fer
