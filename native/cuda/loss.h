// The loss, which both lowerings share.
#pragma once
#include "cuda/workspace.h"

namespace fer::cuda {

// `logarithms` [n][padded]: of the softmax of op's logits; null: they are computed.
void run_cross_entropy(Workspace& work, const SoftmaxCrossEntropy& op, const float* logarithms);

}  // namespace fer::cuda
