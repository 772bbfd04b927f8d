// What one training step launches on the GPU with the backend's own kernels, in order: for every kernel the bytes it must move
// (each operand read once, each result written once), its floating-point operations and the shape of its grid. The names are
// those of native/test/fixtures/launches.txt, which a native test compares with what the backend really launches.

export const WIDTHS = {
  narrow: { stem: [8, 8], modules: [16, 32, 64, 128] },
  wide: { stem: [32, 64], modules: [128, 256, 512, 1024] },
};

const FLOAT = 4;
const THREADS = 256;
const DEPTH = 16; // rows or columns of a product's tile, along the sum
const INPUT = 48;
const CLASSES_PADDED = 8;

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
  const { stem, modules } = WIDTHS[width];
  const n = batch;
  const list = [];
  const sizes = [INPUT - 2, INPUT - 4];

  list.push(pass('next step', 64, 0, { blocks: 1 }));
  list.push(pass('input', n * INPUT * INPUT * (1 + FLOAT), 0, { blocks: n }));
  const rows1 = n * sizes[0] ** 2;
  const rows2 = n * sizes[1] ** 2;
  list.push(
    pass('convolution', FLOAT * (n * INPUT ** 2 + rows1 * stem[0]), 18 * rows1 * stem[0], {
      reduced: rowSum(rows1, stem[0], 2, multiprocessors),
    }),
  );
  list.push(
    product('convolution', rows2, stem[1], 9 * stem[0], FLOAT * (rows1 * stem[0] + rows2 * stem[1]), multiprocessors, { sums: true }),
  );

  // Module i turns [size]^2 x cin into [half]^2 x cout.
  const shapes = [];
  let size = sizes[1];
  let cin = stem[1];
  for (const cout of modules) {
    const half = ceil(size / 2);
    shapes.push({ size, half, cin, cout, pixels: n * size ** 2, pooled: n * half ** 2 });
    size = half;
    cin = cout;
  }
  const separable = ({ pixels, cout }, c) => [
    pass('depthwise convolution', 2 * FLOAT * pixels * c, 18 * pixels * c),
    product('pointwise convolution', pixels, cout, c, FLOAT * pixels * (c + cout), multiprocessors, { sums: true }),
  ];
  for (const s of shapes) {
    list.push(
      product('shortcut convolution', s.pooled, s.cout, s.cin, FLOAT * s.pooled * (s.cin + s.cout), multiprocessors, { sums: true }),
    );
    list.push(...separable(s, s.cin), ...separable(s, s.cout));
    list.push(pass('pooling', FLOAT * s.cout * (s.pixels + 2 * s.pooled) + s.pooled * s.cout, 2 * s.cout * (s.pixels + s.pooled)));
  }

  const last = modules.at(-1);
  const taps = n * 9 * last;
  const headWeights = 9 * last * CLASSES_PADDED;
  list.push(pass('head', FLOAT * (n * size ** 2 * last + 2 * taps + headWeights), 2 * taps * CLASSES_PADDED, { blocks: n }));
  list.push(pass('softmax cross-entropy', 2 * FLOAT * n * CLASSES_PADDED, 40 * n * CLASSES_PADDED, { blocks: 1 }));
  list.push(
    pass("head's weight gradient", FLOAT * (taps + headWeights), 2 * taps * CLASSES_PADDED, {
      aside: true,
      blocks: ceil((9 * last + 1) / THREADS),
    }),
  );
  list.push(
    pass("head's input gradient", FLOAT * (headWeights + n * size ** 2 * last), 2 * taps * CLASSES_PADDED, {
      blocks: ceil((n * last) / THREADS),
    }),
  );

  // `reads`: 1 where dz is in memory, 2 where it is formed of g and z.
  const separableBackward = (s, c, reads) => [
    ...outer("pointwise convolution's weight gradient", c, s.cout, s.pixels, FLOAT * s.pixels * (c + reads * s.cout), multiprocessors),
    product("pointwise convolution's input gradient", s.pixels, c, s.cout, FLOAT * s.pixels * (reads * s.cout + c), multiprocessors),
    pass("depthwise convolution's gradients", 3 * FLOAT * s.pixels * c, 36 * s.pixels * c, {
      reduced: rowSum(s.pixels, c, 11, multiprocessors),
    }),
  ];
  for (const s of shapes.toReversed()) {
    list.push(
      pass("pooling's batch-norm sums", FLOAT * s.cout * (s.pixels + 2 * s.pooled) + s.pooled * s.cout, 10 * s.pooled * s.cout, {
        reduced: rowSum(s.pooled, s.cout, 3, multiprocessors),
      }),
    );
    list.push(pass("pooling's backward pass", 2 * FLOAT * s.pixels * s.cout + s.pooled * s.cout * (FLOAT + 1), 10 * s.pixels * s.cout));
    list.push(...separableBackward(s, s.cout, 1));
    list.push(...outer("shortcut's weight gradient", s.cin, s.cout, s.pooled, FLOAT * s.pooled * (s.cin + 2 * s.cout), multiprocessors));
    list.push(product("shortcut's input gradient", s.pooled, s.cin, s.cout, FLOAT * s.pooled * (2 * s.cout + s.cin), multiprocessors));
    list.push(...separableBackward(s, s.cin, 2));
  }
  list.push(
    ...outer(
      "convolution's weight gradient",
      9 * stem[0],
      stem[1],
      rows2,
      FLOAT * (rows1 * stem[0] + 2 * rows2 * stem[1]),
      multiprocessors,
    ),
  );
  list.push(
    product(
      "convolution's input gradient",
      rows1,
      stem[0],
      9 * stem[1],
      FLOAT * (2 * rows2 * stem[1] + 2 * rows1 * stem[0]),
      multiprocessors,
      { sums: true },
    ),
  );
  list.push(
    pass("convolution's backward pass", FLOAT * (n * INPUT ** 2 + 2 * rows1 * stem[0]), 18 * rows1 * stem[0], {
      reduced: rowSum(rows1, stem[0], 9, multiprocessors),
    }),
  );
  list.push(pass('optimiser', 5 * FLOAT * parameters(width), 4 * parameters(width)));
  return list;
}

/** Parameters as stored, channels and classes padded to eight. */
export function parameters(width) {
  const { stem, modules } = WIDTHS[width];
  let count = 9 * stem[0] + 2 * stem[0] + 9 * stem[0] * stem[1] + 2 * stem[1];
  let cin = stem[1];
  for (const c of modules) {
    count += 9 * cin + cin * c + 2 * c + 9 * c + c * c + 2 * c + cin * c + 2 * c;
    cin = c;
  }
  return count + 9 * cin * CLASSES_PADDED + CLASSES_PADDED;
}
