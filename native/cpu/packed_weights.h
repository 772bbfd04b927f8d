// Weights in the order products read them, kept until the memory they were packed from is written: a model packs for its
// predictions once. Lanes share one.
#pragma once
#include <map>
#include <mutex>
#include <tuple>

#include "cpu/kernels.h"
#include "cpu/memory.h"

namespace fer::cpu {

class PackedWeights {
 public:
  // B [k][n] as Kernels::pack leaves it. Stays in place as long as nothing of B is written.
  const float* get(const Kernels& kernels, const float* b, int k, int n);
  // What was packed of this memory is stale.
  void written(const void* begin, size_t bytes);

 private:
  struct Entry {
    Floats memory;
    bool fresh = false;
  };
  std::mutex mutex_;
  std::map<std::tuple<const float*, int, int>, Entry> entries_;
};

}  // namespace fer::cpu
