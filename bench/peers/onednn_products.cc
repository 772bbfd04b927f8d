// Our matrix products beside oneDNN's matmul on the wide network's pointwise shapes: forward, gradient of the data, gradient of
// the weights; one thread, alternating call by call, the fastest of each counts. Both get their weights packed beforehand.
//
//   python3 -m venv build/onednn && build/onednn/bin/pip install onednn-devel-cpu-gomp==2023.2.0 onednn-cpu-gomp==2023.2.0
//   scripts/profile.sh wide 1 >build/profile.txt   # builds the library
//   c++ -O2 -std=c++20 -Inative -Ibuild/onednn/include bench/peers/onednn_products.cc build/native-profile/libfer_core.a
//       -Lbuild/onednn/lib -ldnnl -Wl,-rpath,$PWD/build/onednn/lib -pthread -ldl -o build/onednn_products
//   OMP_NUM_THREADS=1 build/onednn_products
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "cpu/kernels.h"
#include "dnnl.hpp"

namespace {

using dnnl::memory;
using Tag = memory::format_tag;

struct Free {
  void operator()(float* p) const { std::free(p); }
};
std::unique_ptr<float, Free> numbers(int rows, int columns) {
  const size_t count = static_cast<size_t>(rows) * columns;
  std::unique_ptr<float, Free> memory(static_cast<float*>(std::aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64)));
  for (size_t i = 0; i < count; ++i) memory.get()[i] = static_cast<float>((i * 2654435761u >> 20) % 2000) / 1000.f - 1.f;
  return memory;
}

double seconds(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

memory::desc matrix(int rows, int columns, Tag tag) { return {{rows, columns}, memory::data_type::f32, tag}; }

// C [m][n] = A [m][k] B [k][n]; B is brought into the form oneDNN likes best first, where `packs`.
std::function<void()> product(const dnnl::engine& engine, int m, int k, int n, float* a, Tag a_tag, float* b, Tag b_tag, bool packs, float* c) {
  dnnl::stream stream(engine);
  const dnnl::matmul::primitive_desc description(engine, matrix(m, k, a_tag), matrix(k, n, packs ? Tag::any : b_tag), matrix(m, n, Tag::ab));
  memory weights(matrix(k, n, b_tag), engine, b);
  if (description.weights_desc() != weights.get_desc()) {
    memory packed(description.weights_desc(), engine);
    dnnl::reorder(weights, packed).execute(stream, weights, packed);
    stream.wait();
    weights = packed;
  }
  return [=, matmul = dnnl::matmul(description),
          arguments = std::unordered_map<int, memory>{{DNNL_ARG_SRC, memory(description.src_desc(), engine, a)},
                                                      {DNNL_ARG_WEIGHTS, weights},
                                                      {DNNL_ARG_DST, memory(description.dst_desc(), engine, c)}}]() mutable {
    matmul.execute(stream, arguments);
    stream.wait();
  };
}

}  // namespace

int main() {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  const fer::cpu::Kernels& kernels = fer::cpu::instruction_set().fp32();
  std::printf("GFLOP/s, %s, oneDNN %d.%d\n| rows x in x out | forward, own | oneDNN | data, own | oneDNN | weights, own | oneDNN |\n", kernels.name,
              dnnl::version()->major, dnnl::version()->minor);
  const int shapes[][3] = {{264, 64, 128},  {264, 128, 128}, {264, 128, 256},  {286, 256, 256},
                           {242, 256, 512}, {242, 512, 512}, {288, 512, 1024}, {288, 1024, 1024}};
  for (const auto& [m, k, n] : shapes) {
    const auto x = numbers(m, k), w = numbers(k, n), z = numbers(m, n), dx = numbers(m, k), dw = numbers(k, n), forward = numbers(k, n),
               backward = numbers(k, n);
    kernels.pack(w.get(), k, n, false, 0, n, forward.get());
    kernels.pack(w.get(), n, k, true, 0, k, backward.get());
    const std::function<void()> contenders[] = {
        [&, m = m, k = k, n = n] { kernels.multiply_rows(m, n, {{x.get()}, 1, k, k}, forward.get(), z.get()); },
        product(engine, m, k, n, x.get(), Tag::ab, w.get(), Tag::ab, true, z.get()),
        [&, m = m, k = k, n = n] { kernels.multiply_rows(m, k, {{z.get()}, 1, n, n}, backward.get(), dx.get()); },
        product(engine, m, n, k, z.get(), Tag::ab, w.get(), Tag::ba, true, dx.get()),
        [&, m = m, k = k, n = n] { kernels.accumulate_outer(m, n, {{x.get()}, 1, k, k}, z.get(), dw.get()); },
        product(engine, k, m, n, x.get(), Tag::ba, z.get(), Tag::ab, false, dw.get()),
    };
    const double flops = 2.0 * m * k * n;
    double fastest[6] = {1e9, 1e9, 1e9, 1e9, 1e9, 1e9};
    for (int round = 0; round < std::clamp(static_cast<int>(1.5e10 / flops), 30, 2000); ++round)
      for (int i = 0; i < 6; ++i) fastest[i] = std::min(fastest[i], seconds(contenders[i]));
    std::printf("| %d x %d x %d |", m, k, n);
    for (double best : fastest) std::printf(" %.0f |", flops / best * 1e-9);
    std::printf("\n");
  }
}
