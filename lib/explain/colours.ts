/** Colours of values, with how much of the picture beneath they cover. */

/** Red, green, blue: 0..255; cover: 0..1. */
export type Colour = readonly [red: number, green: number, blue: number, cover: number];

/**
 * The perceptually uniform map "inferno" of matplotlib (Smith and van der Walt, public domain, CC0), every sixteenth of its
 * length; straight lines between them stray by 7 grey levels at most.
 */
const INFERNO = [
  [0, 0, 4],
  [11, 7, 36],
  [33, 12, 74],
  [60, 10, 101],
  [87, 16, 109],
  [112, 25, 110],
  [137, 34, 106],
  [163, 44, 97],
  [187, 55, 85],
  [209, 69, 69],
  [228, 89, 51],
  [241, 114, 30],
  [250, 141, 11],
  [252, 171, 16],
  [249, 202, 51],
  [242, 232, 101],
  [252, 255, 164],
] as const;

/** 0..1 from dark violet to light yellow. */
export function inferno(value: number): readonly [number, number, number] {
  const at = Math.min(Math.max(value, 0), 1) * (INFERNO.length - 1);
  const below = Math.min(Math.floor(at), INFERNO.length - 2);
  const channel = (i: number): number => INFERNO[below][i] + (INFERNO[below + 1][i] - INFERNO[below][i]) * (at - below);
  return [channel(0), channel(1), channel(2)];
}

/** Evidence, 0..1: none leaves the face as it is. Inferno's darkest third is left out, for it would look like shadow. */
export function evidenceColour(value: number): Colour {
  return [...inferno(0.3 + 0.65 * value), 0.75 * Math.min(1, 1.4 * Math.max(value, 0))];
}

/** Signed values, -1..1: red above 0, blue below. */
export function signedColour(value: number): Colour {
  const cover = Math.min(Math.abs(value), 1);
  return value > 0 ? [214, 40, 40, cover] : [30, 100, 220, cover];
}
