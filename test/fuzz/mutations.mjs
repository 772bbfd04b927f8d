/**
 * How a good file becomes a hostile one: arbitraries of fast-check over seeds. All of a case follows from the one number that it is
 * drawn with, so a failure is made again from its target's name and its seed.
 */
import fc from 'fast-check';

/** Where in a file, 0..1; headers are struck more often than what they describe. */
const place = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.05, noNaN: true }));
const part = fc.double({ min: 0, max: 0.3, noNaN: true });

/** Whole numbers at which something overflows, wraps or ends. */
const EXTREMES = [0n, 1n, -1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x7fffffffffffffffn];
const NUMBERS = ['0', '-1', '1e308', '-1e308', '4294967296', '2147483648', '9007199254740993', '18446744073709551616', '0.5', 'NaN'];

const mutation = fc.oneof(
  fc.record({ kind: fc.constant('flip'), at: place, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('byte'), at: place, value: fc.nat(255) }),
  fc.record({ kind: fc.constant('extreme'), at: place, width: fc.constantFrom(1, 2, 4, 8), value: fc.constantFrom(...EXTREMES), big: fc.boolean() }), // prettier-ignore
  fc.record({ kind: fc.constant('number'), at: place, text: fc.constantFrom(...NUMBERS) }),
  fc.record({ kind: fc.constant('cut'), at: place }),
  fc.record({ kind: fc.constant('remove'), at: place, length: part }),
  fc.record({ kind: fc.constant('repeat'), at: place, length: part, times: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constant('splice'), at: place, other: fc.nat(), from: place, length: part }),
  fc.record({ kind: fc.constant('insert'), at: place, bytes: fc.uint8Array({ minLength: 1, maxLength: 32 }) }),
);

/** The n-th of the places that a pattern finds, counted from where `at` points; its index and length. */
function numberAt(bytes, at) {
  const text = bytes.toString('latin1');
  const found = /-?\d+(\.\d+)?/.exec(text.slice(Math.floor(at * text.length)));
  return found ? { index: Math.floor(at * text.length) + found.index, length: found[0].length } : undefined;
}

function mutate(bytes, m, seeds) {
  const at = Math.floor(m.at * bytes.length);
  const length = Math.ceil((m.length ?? 0) * bytes.length);
  const around = (middle, end = at) => Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(end)]);
  switch (m.kind) {
    case 'flip':
      return around(Buffer.of((bytes[at] ?? 0) ^ (1 << m.bit)), at + 1);
    case 'byte':
      return around(Buffer.of(m.value), at + 1);
    case 'extreme': {
      const value = Buffer.alloc(8);
      if (m.big) value.writeBigUInt64BE((BigInt.asUintN(64, m.value) << BigInt(64 - 8 * m.width)) & 0xffffffffffffffffn);
      else value.writeBigUInt64LE(BigInt.asUintN(64, m.value));
      return around(value.subarray(0, m.width), at + m.width);
    }
    case 'number': {
      const found = numberAt(bytes, m.at);
      if (!found) return bytes;
      return Buffer.concat([bytes.subarray(0, found.index), Buffer.from(m.text), bytes.subarray(found.index + found.length)]);
    }
    case 'cut':
      return bytes.subarray(0, at);
    case 'remove':
      return around(Buffer.alloc(0), at + length);
    case 'repeat':
      return around(Buffer.concat(new Array(m.times).fill(bytes.subarray(at, at + length))));
    case 'splice': {
      const other = seeds[m.other % seeds.length];
      const from = Math.floor(m.from * other.length);
      return around(other.subarray(from, from + Math.ceil(m.length * other.length)));
    }
    default:
      return around(Buffer.from(m.bytes));
  }
}

const LARGEST = 1 << 20; // bytes: a case that repetition made larger is cut

/** One of `seeds` (buffers), changed in one to five places; one in twenty is left as it is. */
export function mutatedBytes(seeds) {
  return fc
    .tuple(
      fc.nat(seeds.length - 1),
      fc.oneof({ weight: 19, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 5 }) }, { weight: 1, arbitrary: fc.constant([]) }),
    )
    .map(([seed, mutations]) => mutations.reduce((bytes, m) => mutate(bytes, m, seeds).subarray(0, LARGEST), seeds[seed]));
}

/** What a field of JSON is replaced by. */
const replacement = fc.oneof(
  fc.constantFrom(null, true, '', [], {}, -1, 0, 1, 0.5, 255, 256, 1e6, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e308, -1e308, 5e-324),
  fc.constantFrom(
    'NaN',
    'constructor',
    '__proto__',
    'toString',
    '../../etc',
    '<script>alert(1)</script>',
    '\u0000',
    '"\n#',
    'x'.repeat(5000),
  ),
  fc.integer(),
  fc.double(),
  fc.string(),
  fc.jsonValue({ maxDepth: 3 }),
);
const change = fc.record({
  path: fc.nat(),
  kind: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'rename', 'repeat'),
  value: replacement,
});

/** Every object or array in `value`, with the keys of each. */
function places(value, found = []) {
  if (value !== null && typeof value === 'object')
    for (const key of Object.keys(value)) {
      found.push([value, key]);
      places(value[key], found);
    }
  return found;
}

function changed(value, { path, kind, value: other }) {
  const all = places(value);
  if (all.length === 0) return other;
  const [parent, key] = all[path % all.length];
  if (kind === 'remove' && Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (kind === 'remove') delete parent[key];
  else if (kind === 'repeat' && Array.isArray(parent)) parent.splice(Number(key), 0, ...new Array(3).fill(parent[key]));
  else if (kind === 'rename' && !Array.isArray(parent)) {
    Object.defineProperty(parent, String(other), { value: parent[key], enumerable: true, configurable: true, writable: true });
    delete parent[key];
  } else parent[key] = other;
  return value;
}

/** One of `seeds` (plain values), with one to four of its fields replaced, removed, renamed or repeated. */
export function mutatedJson(seeds) {
  return fc
    .tuple(fc.nat(seeds.length - 1), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([seed, changes]) => changes.reduce(changed, structuredClone(seeds[seed])));
}

/** A case in three a change of its fields, else one of its bytes; `write` makes bytes of a value. */
export function mutatedText(seeds, write) {
  return fc.oneof(
    { weight: 2, arbitrary: mutatedJson(seeds).map((value) => Buffer.from(write(value))) },
    { weight: 1, arbitrary: mutatedBytes(seeds.map((value) => Buffer.from(write(value)))) },
  );
}
