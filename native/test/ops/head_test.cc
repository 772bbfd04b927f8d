// The head, forward and backward.
#include "test/ops/op_test.h"

namespace fer {
namespace {

class HeadOpTest : public OpTest {};

TEST_P(HeadOpTest, MatchesPyTorch) {
  const int padded = static_cast<int>(c.at("bias").size());
  const Shape shape{.n = c.n, .size = c.size, .in_channels = c.in, .out_channels = padded, .half = half};
  const Memory in = load_activations("in"), weight = load("weight"), bias = load("bias"), d_logits = load("d_logits");
  const Memory taps = room(static_cast<size_t>(c.n) * 9 * c.in), logits = room(static_cast<size_t>(c.n) * padded);
  backend->run(HeadForward{.shape = shape, .x = in, .weight = weight, .bias = bias, .taps = taps, .logits = logits});
  expect_close(logits.values(), c.at("logits"), "logits");
  const Memory d_weight = room(c.at("weight").size()), d_bias = room(padded), dx = activations(c.at("in").size());
  backend->run(HeadBackward{.shape = shape,
                            .classes = c.out,
                            .d_logits = d_logits,
                            .x = in,
                            .taps = taps,
                            .weight = weight,
                            .d_weight = d_weight,
                            .d_bias = d_bias,
                            .dx = dx});
  expect_close(d_weight.values(), c.at("d_weight"), "d_weight");
  expect_close(d_bias.values(), c.at("d_bias"), "d_bias");
  expect_close(dx.values(), c.at("d_in"), "d_in");
}

FER_OP_CASES(HeadOpTest, "head");

}  // namespace
}  // namespace fer
