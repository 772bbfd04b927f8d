/** The widths of Mini_Xception. */
import { FerError } from '../errors.js';

/** Channels of a network, 1 to 4096 each; 1 to 16 modules. */
export interface WidthSpec {
  /** Output channels of the two stem convolutions. */
  stem: [number, number];
  /** Output channels of each residual module. */
  modules: number[];
}

/** A named width or one of your own. */
export type Width = 'narrow' | 'wide' | WidthSpec;

/** The paper's two: "8~128" and "64~1024". */
export const WIDTHS: Readonly<Record<'narrow' | 'wide', WidthSpec>> = {
  narrow: { stem: [8, 8], modules: [16, 32, 64, 128] },
  wide: { stem: [32, 64], modules: [128, 256, 512, 1024] },
};

/**
 * A spec from a name, a spec, or text such as "8,8:16,32,64,128" (stem before the colon, modules after it).
 * @throws {FerError} ERR_FER_ARGUMENT
 */
export function resolveWidth(width: Width | string): WidthSpec {
  if (width === 'narrow' || width === 'wide') return { stem: [...WIDTHS[width].stem], modules: [...WIDTHS[width].modules] };
  const channels = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 4096;
  let spec: { stem?: unknown; modules?: unknown } | undefined;
  if (typeof width === 'string') {
    const parts = width.split(':').map((part) => part.split(',').map(Number));
    if (parts.length === 2) spec = { stem: parts[0], modules: parts[1] };
  } else spec = width;
  const { stem, modules } = spec ?? {};
  if (
    Array.isArray(stem) &&
    Array.isArray(modules) &&
    stem.length === 2 &&
    modules.length >= 1 &&
    modules.length <= 16 &&
    [...stem, ...modules].every(channels)
  )
    return { stem: [stem[0] as number, stem[1] as number], modules: [...(modules as number[])] };
  throw new FerError(
    'ERR_FER_ARGUMENT',
    `expected narrow, wide or <stem1>,<stem2>:<module1>,<module2>,... with 1 to 4096 channels each, got ${JSON.stringify(width)}, for width`,
  );
}

/** "narrow", "wide" or the text form. */
export function widthName(spec: WidthSpec): string {
  const text = (w: WidthSpec): string => `${w.stem.join(',')}:${w.modules.join(',')}`;
  const known = (Object.keys(WIDTHS) as ('narrow' | 'wide')[]).find((name) => text(WIDTHS[name]) === text(spec));
  return known ?? text(spec);
}
