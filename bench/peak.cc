// The machine's single-precision peak by fused multiply-adds in registers: one JSON line.
//   c++ -O2 -march=native -pthread bench/peak.cc -o build/peak && build/peak
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#ifdef __AVX512F__
typedef float Vector __attribute__((vector_size(64)));
#else
typedef float Vector __attribute__((vector_size(32)));
#endif

static double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

static void spin(double* rate) {
  constexpr int kChains = sizeof(Vector) == 64 ? 24 : 12;
  Vector a[kChains], b = Vector{} + 0.999f, c = Vector{} + 1e-4f;
  for (int k = 0; k < kChains; ++k) a[k] = Vector{} + 0.01f * float(k);  // equal chains would be computed once
  const long rounds = 200'000;
  *rate = 0;
  for (int repetition = 0; repetition < 200; ++repetition) {  // the best of many short ones: a neighbour only ever takes time
    const double start = seconds();
    for (long i = 0; i < rounds; ++i)
#pragma GCC unroll 24
      for (int k = 0; k < kChains; ++k) a[k] = a[k] * b + c;
    *rate = std::max(*rate, rounds * double(kChains) * sizeof(Vector) / sizeof(float) * 2 / (seconds() - start) / 1e9);
  }
  volatile float sink = 0;
  for (const Vector& v : a) sink = sink + v[0];
}

int main() {
  double one;
  spin(&one);
  const unsigned count = std::thread::hardware_concurrency();
  std::vector<double> rates(count);
  std::vector<std::thread> threads;
  for (double& rate : rates) threads.emplace_back(spin, &rate);
  double all = 0;
  for (unsigned i = 0; i < count; ++i) threads[i].join(), all += rates[i];
  std::printf("{\"oneThread\": %.0f, \"allThreads\": %.0f, \"threads\": %u}\n", one, all, count);
}
