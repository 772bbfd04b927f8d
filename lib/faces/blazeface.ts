/**
 * BlazeFace (Bazarevsky et al., 2019), the model for whole rooms: 896 places of a 256 x 256 picture, each with a score, a box and six
 * points of a face. Beside it what turns a picture into such, and places into faces.
 */
import type { Box, ColourPicture } from '../data/image.js';
import { readGraph, type Graph, type GraphFile } from './graph.js';

/** A place in a picture, pixels; fractions count. */
export interface Point {
  /** From the left. */
  x: number;
  /** From above. */
  y: number;
}

/** A face as a finder gives it: where, and how sure. */
export interface FoundFace {
  /** In pixels of the picture; fractions count, and it may reach beyond it. */
  box: Box;
  /** 0..1. */
  confidence: number;
  /** The eyes, the left one in the picture first; without them, the face is not turned upright. */
  eyes?: readonly [Point, Point];
}

const SIDE = 256;
/** Places: a grid of cells of so many pixels, with so many anchors each. */
const GRIDS = [
  { cell: 16, anchors: 2 },
  { cell: 32, anchors: 6 },
];
/** Numbers of a place: box, and six points. */
const NUMBERS = 16;
/** A place that is surer than this is looked at again, alone: `AGAIN` times as large as its box. There it has to be surer than was asked. */
const CANDIDATE = 0.3;
const AGAIN = 1.5;
/** Boxes that share more than this share of what both cover are one face. */
const SAME = 0.3;

export interface BlazeFace {
  find(picture: ColourPicture, least: number): FoundFace[];
}

export function readBlazeFace(file: GraphFile, weights: ArrayBuffer): BlazeFace {
  const graph = readGraph(file, weights);
  return {
    // What is no face seldom looks like one twice; and points of a small face are found more exactly in a picture of it alone.
    find: (picture, least) =>
      separate(separate(placesOf(graph, picture, Math.min(CANDIDATE, least))).flatMap((place) => lookAgain(graph, picture, place, least))),
  };
}

function lookAgain(graph: Graph, picture: ColourPicture, { box }: FoundFace, least: number): FoundFace[] {
  const side = Math.max(1, Math.round(Math.max(box.width, box.height) * AGAIN));
  const left = Math.round(box.left + (box.width - side) / 2);
  const top = Math.round(box.top + (box.height - side) / 2);
  const moved = ({ x, y }: Point): Point => ({ x: x + left, y: y + top });
  const seen = placesOf(graph, partOf(picture, left, top, side), least).map(
    ({ confidence, eyes, box: place }): FoundFace => ({
      confidence,
      box: { ...place, left: place.left + left, top: place.top + top },
      eyes: eyes && [moved(eyes[0]), moved(eyes[1])],
    }),
  );
  return separate(seen.filter((place) => overlap(place.box, box) > SAME)).slice(0, 1);
}

/** A square of a picture, black beyond its borders. */
function partOf({ pixels, width, height }: ColourPicture, left: number, top: number, side: number): ColourPicture {
  const part = new Uint8Array(side * side * 3);
  const from = Math.max(left, 0);
  const to = Math.min(left + side, width);
  if (to > from)
    for (let row = Math.max(top, 0); row < Math.min(top + side, height); row++)
      part.set(pixels.subarray((row * width + from) * 3, (row * width + to) * 3), ((row - top) * side + from - left) * 3);
  return { pixels: part, width: side, height: side };
}

/** The picture at its own proportions in a square, the rest black; values -1..1. */
function squareOf({ pixels, width, height }: ColourPicture): { input: Float32Array; scale: number; left: number; top: number } {
  const scale = SIDE / Math.max(width, height);
  const left = (SIDE - width * scale) / 2;
  const top = (SIDE - height * scale) / 2;
  const input = new Float32Array(SIDE * SIDE * 3).fill(-1);
  // A pixel is the mean of those that fall into it, of a few where there are many; between pixels where there are fewer.
  const taps = Math.min(4, Math.max(1, Math.round(1 / scale)));
  for (let y = Math.ceil(top - 0.5); y < SIDE - top - 0.5; y++)
    for (let x = Math.ceil(left - 0.5); x < SIDE - left - 0.5; x++)
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let i = 0; i < taps; i++)
          for (let j = 0; j < taps; j++) {
            const row = (y + (i + 0.5) / taps - top) / scale - 0.5;
            const column = (x + (j + 0.5) / taps - left) / scale - 0.5;
            sum += between(pixels, width, height, row, column, c);
          }
        input[(y * SIDE + x) * 3 + c] = sum / (taps * taps) / 127.5 - 1;
      }
  return { input, scale, left, top };
}

function between(pixels: Uint8Array, width: number, height: number, row: number, column: number, channel: number): number {
  const y = Math.min(Math.max(row, 0), height - 1);
  const x = Math.min(Math.max(column, 0), width - 1);
  const [y0, x0] = [Math.floor(y), Math.floor(x)];
  const [y1, x1] = [Math.min(y0 + 1, height - 1), Math.min(x0 + 1, width - 1)];
  const [v, h] = [y - y0, x - x0];
  const value = (r: number, k: number): number => pixels[(r * width + k) * 3 + channel];
  return (value(y0, x0) * (1 - h) + value(y0, x1) * h) * (1 - v) + (value(y1, x0) * (1 - h) + value(y1, x1) * h) * v;
}

/** Every place that is surer than `least`, in pixels of the picture. */
function placesOf(graph: Graph, picture: ColourPicture, least: number): FoundFace[] {
  const { input, scale, left, top } = squareOf(picture);
  const ends = [...graph.run(input, SIDE, SIDE).values()];
  const faces: FoundFace[] = [];
  for (const { cell, anchors } of GRIDS) {
    const across = SIDE / cell;
    const count = across * across * anchors;
    const scores = ends.find(({ length }) => length === count)!;
    const numbers = ends.find(({ length }) => length === count * NUMBERS)!;
    for (let i = 0; i < count; i++) {
      const confidence = 1 / (1 + Math.exp(-scores[i]));
      if (!(confidence >= least)) continue;
      const at = Math.floor(i / anchors);
      const anchor = { x: ((at % across) + 0.5) * cell, y: (Math.floor(at / across) + 0.5) * cell };
      const point = (k: number): Point => ({
        x: (anchor.x + numbers[i * NUMBERS + k] - left) / scale,
        y: (anchor.y + numbers[i * NUMBERS + k + 1] - top) / scale,
      });
      const middle = point(0);
      const [width, height] = [numbers[i * NUMBERS + 2] / scale, numbers[i * NUMBERS + 3] / scale];
      faces.push({
        box: { left: middle.x - width / 2, top: middle.y - height / 2, width, height },
        confidence,
        eyes: levelled(point(4), point(6), point(10), point(12), point(14)),
      });
    }
  }
  return faces;
}

/**
 * The eyes, left one first, their line put where ears and mouth agree with it: each point alone strays by a few hundredths of the face, which
 * on eyes so near to one another is many degrees.
 */
function levelled(eye: Point, otherEye: Point, mouth: Point, ear: Point, otherEar: Point): readonly [Point, Point] {
  const middle = { x: (eye.x + otherEye.x) / 2, y: (eye.y + otherEye.y) / 2 };
  const right = {
    x: otherEye.x - eye.x + (otherEar.x - ear.x) + (mouth.y - middle.y),
    y: otherEye.y - eye.y + (otherEar.y - ear.y) - (mouth.x - middle.x),
  };
  const half = Math.hypot(otherEye.x - eye.x, otherEye.y - eye.y) / 2 / (Math.hypot(right.x, right.y) || 1);
  return [
    { x: middle.x - half * right.x, y: middle.y - half * right.y },
    { x: middle.x + half * right.x, y: middle.y + half * right.y },
  ];
}

/** What both cover, as a share of what either does. */
export function overlap(a: Box, b: Box): number {
  const across = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const down = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  if (!(across > 0 && down > 0)) return 0;
  const both = across * down;
  return both / (a.width * a.height + b.width * b.height - both);
}

/** Of the places that are one face, the surest one's sureness, and the mean of all of them, the surer the more; the surest face first. */
export function separate(places: readonly FoundFace[]): FoundFace[] {
  const groups: FoundFace[][] = [];
  for (const place of [...places].sort((a, b) => b.confidence - a.confidence)) {
    const group = groups.find(([surest]) => overlap(surest.box, place.box) > SAME);
    if (group) group.push(place);
    else groups.push([place]);
  }
  return groups.map(meanOf);
}

function meanOf(group: readonly FoundFace[]): FoundFace {
  const total = group.reduce((sum, { confidence }) => sum + confidence, 0);
  const mean = (of: (face: FoundFace) => number): number => group.reduce((sum, face) => sum + of(face) * face.confidence, 0) / total;
  const eye = (i: 0 | 1): Point => ({ x: mean(({ eyes }) => eyes![i].x), y: mean(({ eyes }) => eyes![i].y) });
  const box = {
    left: mean((f) => f.box.left),
    top: mean((f) => f.box.top),
    width: mean((f) => f.box.width),
    height: mean((f) => f.box.height),
  };
  return { box, confidence: group[0].confidence, ...(group.every(({ eyes }) => eyes) ? { eyes: [eye(0), eye(1)] } : {}) };
}
