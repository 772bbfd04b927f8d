// One pass's operands, bound: what forward.cc and backward.cc know of each op.
#pragma once
#include "network/pass.h"

namespace fer {

class Pass::Walk {
 public:
  Walk(const Pass& pass, const Weights& weights, int n) : pass_(pass), weights_(weights), n_(n) {}

  const FusedOp& op(size_t i) const { return pass_.fusion_.ops[i]; }
  const Value& value(int index) const { return pass_.plan_.values[index]; }
  Shape shape(size_t i) const {
    const Value &in = value(op(i).in.stored), &out = value(op(i).out);
    return {.n = n_, .size = in.size, .in_channels = in.padded, .out_channels = out.padded, .half = pass_.half_};
  }
  View in(size_t i) const { return {.z = stored(op(i).in.stored), .bn = norm(op(i).in.norm)}; }
  float* out(size_t i) const { return stored(op(i).out); }
  BatchNorm* out_norm(size_t i) const { return norm(op(i).norm); }
  float* stored(int value) const { return pass_.stored(value); }
  float* gradient(int value) const { return pass_.gradient(value); }
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

}  // namespace fer
