// Passes over memory that a library's convolution needs and our own products do while loading and storing: operands as they are
// seen written out, weights turned, sums of a result.
#pragma once
#include "cuda/reductions.cuh"
#include "cuda/workspace.h"

namespace fer::cuda {

// Thread: four channels, row after row.
template <class From>
__global__ void __launch_bounds__(kThreads) write_out(From from, int rows, int channels, float* out) {
  const int c = 4 * static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
  if (c >= channels) return;
  for (int row = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y); row < rows; row += static_cast<int>(gridDim.x * blockDim.y))
    store4(out + static_cast<size_t>(row) * channels + c, from(row, c));
}

// [rows][channels] of a loader.
template <class From>
const float* written_out(Workspace& work, const char* op, Slot slot, const From& from, size_t rows, int channels) {
  float* out = work.floats(slot, rows * channels);
  const RowGrid g = row_grid(rows, channels, 16u * work.multiprocessors(), 1);
  launch(op, write_out<From>, g.grid, g.block, work.stream(), from, static_cast<int>(rows), channels, out);
  return out;
}

// A view as dense memory: itself, where nothing is pending.
inline const float* written_out(Workspace& work, const char* op, const View& in, size_t rows, int channels) {
  return in.bn ? written_out(work, op, Slot::kInput, Dense{in.z, channels, pending(in)}, rows, channels) : in.z;
}

// out [columns][rows] of in [rows][columns].
void turn(Workspace& work, const char* op, const float* in, int rows, int columns, float* out);
// Batch statistics of z [rows][bn.channels].
void measure_statistics(Workspace& work, const char* op, const float* z, int rows, const BatchNorm& bn);
// dx [n][size][size][channels] as separable_backward leaves it: the shortcut's part added (null: none), masked, summed (in.bn).
void finish_input_gradient(Workspace& work, const char* op, int n, int size, int channels, const View& in, const float* shortcut_dx, float* dx);

}  // namespace fer::cuda
