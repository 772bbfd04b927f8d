// What one training step launches on the GPU with the backend's own kernels, in order: for every kernel the bytes it must move
// (each operand read once, each result written once), its floating-point operations and the shape of its grid. The names are
// those of native/test/fixtures/launches.txt, which a native test compares with what the backend really launches.

import { native } from '../../dist/native.js';
import { resolveWidth } from '../../dist/network/width.js';

export const WIDTHS = ['narrow', 'wide'];

const FLOAT = 4;
const THREADS = 256;
const DEPTH = 16; // rows or columns of a product's tile, along the sum
const INPUT = 48;
const CLASSES = 7;

const specOf = (width) => ({ ...resolveWidth(width), classes: CLASSES, inputSize: INPUT });

const ceil = Math.ceil;

// The tile that products() in native/cuda/product_launch.cuh takes where nothing is measured.
function productTile(m, n, multiprocessors) {
  if (n <= 8) return [128, 8];
  if (n <= 16) return [128, 16];
  if (n <= 32) return [128, 32];
  return n > 64 && m * n >= 128 * 128 * 2 * multiprocessors ? [128, 128] : [64, 64];
}

// Additions that the last blocks' threads make one after another, of q sums of `width` columns (grid_totals in reductions.cuh).
function gridSum(blocks, q, width) {
  let group = 8;
  while (group * group < blocks) group *= 2;
  return ((Math.min(group, blocks) + ceil(blocks / group)) * q * width) / THREADS;
}

// The same for a kernel that walks rows (row_grid in reductions.cuh).
function rowSum(rows, channels, q, multiprocessors) {
  let x = 1;
  while (x < 32 && 8 * x <= channels) x *= 2;
  const tiles = ceil(channels / (4 * x));
  const blocks = Math.min(ceil(rows / ((THREADS / x) * 8)), Math.max(1, Math.floor((2 * multiprocessors) / tiles)));
  return gridSum(blocks, q, 4 * x);
}

function product(op, m, n, k, bytes, multiprocessors, { sums = false, aside = false, tensor = n > 16 } = {}) {
  const [bm, bn] = productTile(m, n, multiprocessors);
  return {
    op,
    flops: 2 * m * n * k,
    bytes: bytes + FLOAT * n * k,
    tensor,
    aside,
    blocks: ceil(m / bm) * ceil(n / bn),
    steps: ceil(k / DEPTH), // one after another within a block
    reduced: sums ? gridSum(ceil(m / bm), 2, bn) : 0,
  };
}

// Two launches where the rows are split among blocks: the splits, and adding them up.
function outer(op, m, n, rows, bytes, multiprocessors) {
  const thin = Math.min(m, n);
  const tile = thin <= 16 ? 16 : thin <= 32 ? 32 : thin <= 128 ? 64 : 128;
  const depth = tile < 64 ? 1024 / tile : DEPTH;
  const tiles = ceil(m / tile) * ceil(n / tile);
  const wanted = Math.max(1, Math.floor((2 * multiprocessors) / tiles));
  const rowsPerSplit = ceil(ceil(rows / Math.min(wanted, Math.max(1, ceil(rows / 128)))) / 64) * 64;
  const splits = ceil(rows / rowsPerSplit);
  const parts = {
    op,
    flops: 2 * m * n * rows,
    bytes: bytes + FLOAT * m * n * splits,
    tensor: thin > 32,
    aside: true,
    blocks: tiles * splits,
    steps: ceil(rowsPerSplit / depth),
    reduced: 0,
  };
  if (splits === 1) return [parts];
  return [
    parts,
    {
      op,
      flops: m * n * splits,
      bytes: FLOAT * m * n * (splits + 1),
      tensor: false,
      aside: true,
      blocks: ceil((m * n) / 32),
      steps: 1,
      reduced: 0,
    },
  ];
}

// Kernels that pass over memory, a thread four channels.
function pass(op, bytes, flops = 0, { reduced = 0, aside = false, blocks } = {}) {
  return { op, flops, bytes, tensor: false, aside, blocks: blocks ?? ceil(bytes / (THREADS * 32)), steps: 1, reduced };
}

/** The launches of a training step with SGD, without clipping and averaging. */
export function launches(width, batch, multiprocessors) {
  const list = [pass('next step', 64, 0, { blocks: 1 }), pass('input', batch * INPUT * INPUT * (1 + FLOAT), 0, { blocks: batch })];
  for (const op of native().trainingOps(specOf(width))) {
    list.push(...KERNELS[op.op](op, batch, multiprocessors));
    if (op.op === 'HeadForward')
      list.push(
        pass('softmax cross-entropy', 2 * FLOAT * batch * op.outChannels, 40 * batch * op.outChannels, { blocks: ceil(batch / 8) }),
      );
  }
  list.push(pass('optimiser', 5 * FLOAT * parameters(width), 4 * parameters(width)));
  return list;
}

/** Parameters as stored, channels and classes padded to eight. */
export function parameters(width) {
  const padded = (channels) => (channels === 1 ? 1 : ceil(channels / 8) * 8);
  return native()
    .describe(specOf(width))
    .tensors.filter(({ trainable }) => trainable)
    .reduce(
      (sum, { shape: [out, ...rest] }) =>
        sum + padded(out) * rest.reduce((product, extent, i) => product * (i === 0 ? padded(extent) : extent), 1),
      0,
    );
}

/** What each op of native/ops.h launches: op (its shape), images, multiprocessors to kernels. */
const KERNELS = {
  ConvolutionForward({ size, inChannels: cin, outChannels: cout }, n, multiprocessors) {
    const [read, rows] = [n * size ** 2, n * (size - 2) ** 2];
    const bytes = FLOAT * (read * cin + rows * cout);
    if (cin === 1) return [pass('convolution', bytes, 18 * rows * cout, { reduced: rowSum(rows, cout, 2, multiprocessors) })];
    return [product('convolution', rows, cout, 9 * cin, bytes, multiprocessors, { sums: true })];
  },
  ConvolutionBackward({ size, inChannels: cin, outChannels: cout }, n, multiprocessors) {
    const [read, rows] = [n * size ** 2, n * (size - 2) ** 2];
    if (cin === 1)
      return [
        pass("convolution's backward pass", FLOAT * (read + 2 * rows * cout), 18 * rows * cout, {
          reduced: rowSum(rows, cout, 9, multiprocessors),
        }),
      ];
    const bytes = FLOAT * (2 * rows * cout + 2 * read * cin);
    return [
      ...outer("convolution's weight gradient", 9 * cin, cout, rows, FLOAT * (read * cin + 2 * rows * cout), multiprocessors),
      product("convolution's input gradient", read, cin, 9 * cout, bytes, multiprocessors, { sums: true }),
    ];
  },
  SeparableForward({ size, inChannels: cin, outChannels: cout }, n, multiprocessors) {
    const pixels = n * size ** 2;
    return [
      pass('depthwise convolution', 2 * FLOAT * pixels * cin, 18 * pixels * cin),
      product('pointwise convolution', pixels, cout, cin, FLOAT * pixels * (cin + cout), multiprocessors, { sums: true }),
    ];
  },
  SeparableBackward({ size, inChannels: cin, outChannels: cout, pooled }, n, multiprocessors) {
    const [pixels, windows] = [n * size ** 2, n * ceil(size / 2) ** 2];
    const reads = pooled ? 1 : 2; // dz is in memory, or formed of g and z
    const kernels = [
      ...outer("pointwise convolution's weight gradient", cin, cout, pixels, FLOAT * pixels * (cin + reads * cout), multiprocessors),
      product("pointwise convolution's input gradient", pixels, cin, cout, FLOAT * pixels * (reads * cout + cin), multiprocessors),
      pass("depthwise convolution's gradients", 3 * FLOAT * pixels * cin, 36 * pixels * cin, {
        reduced: rowSum(pixels, cin, 11, multiprocessors),
      }),
    ];
    if (pooled)
      kernels.unshift(pass("pooling's backward pass", 2 * FLOAT * pixels * cout + windows * cout * (FLOAT + 1), 10 * pixels * cout));
    return kernels;
  },
  ShortcutForward({ size, inChannels: cin, outChannels: cout }, n, multiprocessors) {
    const rows = n * ceil(size / 2) ** 2;
    return [product('shortcut convolution', rows, cout, cin, FLOAT * rows * (cin + cout), multiprocessors, { sums: true })];
  },
  ShortcutBackward({ size, inChannels: cin, outChannels: cout }, n, multiprocessors) {
    const rows = n * ceil(size / 2) ** 2;
    return [
      ...outer("shortcut's weight gradient", cin, cout, rows, FLOAT * rows * (cin + 2 * cout), multiprocessors),
      product("shortcut's input gradient", rows, cin, cout, FLOAT * rows * (2 * cout + cin), multiprocessors),
    ];
  },
  PoolAddForward({ size, outChannels: c }, n) {
    const [pixels, windows] = [n * size ** 2, n * ceil(size / 2) ** 2];
    return [pass('pooling', FLOAT * c * (pixels + 2 * windows) + windows * c, 2 * c * (pixels + windows))];
  },
  PoolAddBackward({ size, outChannels: c }, n, multiprocessors) {
    const [pixels, windows] = [n * size ** 2, n * ceil(size / 2) ** 2];
    return [
      pass("pooling's batch-norm sums", FLOAT * c * (pixels + 2 * windows) + windows * c, 10 * windows * c, {
        reduced: rowSum(windows, c, 3, multiprocessors),
      }),
    ];
  },
  HeadForward({ size, inChannels: cin, outChannels: padded }, n) {
    const [taps, weights] = [n * 9 * cin, 9 * cin * padded];
    return [pass('head', FLOAT * (n * size ** 2 * cin + 2 * taps + weights), 2 * taps * padded, { blocks: n })];
  },
  HeadBackward({ size, inChannels: cin, outChannels: padded }, n) {
    const [taps, weights] = [n * 9 * cin, 9 * cin * padded];
    return [
      pass("head's weight gradient", FLOAT * (taps + weights), 2 * taps * padded, { aside: true, blocks: ceil((9 * cin + 1) / THREADS) }),
      pass("head's input gradient", FLOAT * (weights + n * size ** 2 * cin), 2 * taps * padded, { blocks: ceil((n * cin) / THREADS) }),
    ];
  },
};
