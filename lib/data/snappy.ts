/**
 * Snappy, as Parquet's pages are compressed by it (github.com/google/snappy, format_description.txt). hyparquet's own decoder goes
 * round for ever on some damaged input.
 */

/** Unpacks to exactly `size` bytes. @throws {Error} for damaged input. */
export function unpackSnappy(input: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  const damaged = (): never => {
    throw new Error('a page is damaged: it does not unpack');
  };
  let at = 0;
  let written = 0;
  /** The next `bytes` bytes, the lowest first. */
  const number = (bytes: number): number => {
    if (at + bytes > input.length) damaged();
    let value = 0;
    for (let i = 0; i < bytes; i++) value += input[at++] * 2 ** (8 * i);
    return value;
  };

  while (number(1) > 127); // the size, which the page's header says, too
  while (at < input.length) {
    const tag = number(1);
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >> 2;
      const length = (short < 60 ? short : number(short - 59)) + 1;
      if (at + length > input.length || written + length > size) damaged();
      out.set(input.subarray(at, at + length), written);
      at += length;
      written += length;
      continue;
    }
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const back = kind === 1 ? (tag >> 5) * 256 + number(1) : number(kind === 2 ? 2 : 4);
    if (back === 0 || back > written || written + length > size) damaged();
    // A copy may overlap itself, which repeats what lies before it.
    if (back >= length) out.copyWithin(written, written - back, written - back + length);
    else for (let i = 0; i < length; i++) out[written + i] = out[written + i - back];
    written += length;
  }
  return written === size ? out : damaged();
}
