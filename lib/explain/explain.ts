/**
 * Why does the network see this expression? Grad-CAM shows which places speak for a class, guided backpropagation which
 * pixels; both come from one native backward pass from the class's logit.
 */
import { enlarge } from '../data/bilinear.js';
import { isEncoded, type Box, type ImageInput, type Pixels } from '../data/image.js';
import { invalidArgument } from '../errors.js';
import { describe } from '../network/description.js';
import { networkInput } from '../network/input.js';
import type { Network } from '../network/network.js';
import { predictionsOf, type Prediction } from '../predict/prediction.js';

/** The ways to explain a prediction. */
export const EXPLANATION_METHODS = ['grad-cam', 'guided-backprop', 'guided-grad-cam'] as const;
/** One of `EXPLANATION_METHODS`. */
export type ExplanationMethod = (typeof EXPLANATION_METHODS)[number];

/** What is explained, and how. */
export interface ExplainOptions {
  /** Default "grad-cam". */
  method?: ExplanationMethod;
  /** Class to explain, by name or index. Default: the predicted one. */
  class?: string | number;
  /**
   * Where Grad-CAM looks: "stem.1", "stem.2", "modules.0" and on. Default: the deepest layer whose map is at least 10 pixels
   * wide ("modules.1" at 48 pixels): covering what it marks changes the prediction most (docs/explain.md). Not for
   * guided-backprop.
   */
  layer?: string;
}

/** What on one picture speaks for one class. */
export interface Explanation {
  /** How it was made. */
  method: ExplanationMethod;
  /** The class explained. */
  class: string;
  /** Its index among the model's classes. */
  index: number;
  /** Where Grad-CAM looked; absent for guided-backprop, which goes down to the input. */
  layer?: string;
  /** What the network predicts, whatever class is explained. */
  prediction: Prediction;
  /** Height and width of `map`: the network's input, pixels. */
  size: number;
  /**
   * [size * size]. Grad-CAM: evidence for the class, 0..1. The guided methods: gradient of the logit by the pixel, -1..1;
   * above 0, a brighter pixel would raise it. All zero where there is none.
   */
  map: Float32Array;
  /** What `map` was divided by. */
  scale: number;
  /** Grad-CAM as it stands at the layer; absent for guided-backprop. */
  cam?: {
    /** Height and width of the layer. */
    size: number;
    /** [size * size], not divided; 0 and above. */
    values: Float32Array;
  };
  /** The face in grey as it was given, before the network's resizing: 0..255. */
  picture: Pixels;
}

const NARROWEST_MAP = 10;
/** The native core's name of what the network sees. */
const INPUT = 'input';

/** Where Grad-CAM looks: at one of the values that the plan names, but the input. */
function camLayer({ metadata }: Network, given: string | undefined): string {
  const layers = describe(metadata).values.filter(({ name }) => name !== '' && name !== INPUT);
  const names = layers.map((layer) => layer.name);
  if (given === undefined) return (layers.filter((layer) => layer.size >= NARROWEST_MAP).at(-1) ?? layers[layers.length - 1]).name;
  return names.includes(given) ? given : invalidArgument('layer', names.join(', ').replace(/, ([^,]*)$/, ' or $1'), given);
}

function classIndex({ metadata: { classes } }: Network, given: string | number | undefined): number {
  if (given === undefined) return -1;
  const index = typeof given === 'number' ? given : classes.indexOf(given);
  if (Number.isInteger(index) && index >= 0 && index < classes.length) return index;
  return invalidArgument('class', `one of ${classes.join(', ')} (or its index)`, given);
}

/** The map divided by its largest magnitude. */
function normalised(map: Float32Array): { map: Float32Array; scale: number } {
  const scale = map.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { map: scale > 0 ? map.map((value) => value / scale) : map, scale };
}

/** @throws {FerError} ERR_FER_ARGUMENT for a class, layer or method that is not there, ERR_FER_IMAGE_FORMAT, ERR_FER_DATA_NOT_FOUND */
export async function explain(network: Network, input: ImageInput, options: ExplainOptions & { box?: Box }): Promise<Explanation> {
  const { picture, pixels } = await networkInput(network, input, options.box);
  return explainSeen(network, pixels, isEncoded(input) ? picture : input, options);
}

/** The same of what the network sees, [size, size]; `picture` is what it is a part of. */
export async function explainSeen(network: Network, pixels: Uint8Array, picture: Pixels, options: ExplainOptions): Promise<Explanation> {
  const method = options.method ?? 'grad-cam';
  if (!EXPLANATION_METHODS.includes(method))
    invalidArgument('method', EXPLANATION_METHODS.join(', ').replace(/, ([^,]*)$/, ' or $1'), method);
  if (method === 'guided-backprop' && options.layer !== undefined)
    invalidArgument('layer', 'no layer with guided-backprop (it goes down to the input)', options.layer);
  const { classes, inputSize: size } = network.metadata;
  const target = classIndex(network, options.class);
  const layer = method === 'guided-backprop' ? undefined : camLayer(network, options.layer);

  const seen = layer === undefined ? undefined : await network.native.explain(pixels, { layer, target, guided: false });
  const guided = method === 'grad-cam' ? undefined : await network.native.explain(pixels, { layer: INPUT, target, guided: true });
  const { logits, target: index } = (seen ?? guided)!;
  const cam = seen && { size: seen.size, values: seen.gradCam };
  let map = guided?.gradient;
  if (cam) {
    const over = enlarge(cam.values, cam.size, size, size);
    map = map ? map.map((value, i) => value * over[i]) : over;
  }
  return {
    method,
    class: classes[index],
    index,
    ...(layer === undefined ? {} : { layer }),
    prediction: predictionsOf(logits, classes)[0],
    size,
    ...normalised(map as Float32Array),
    ...(cam ? { cam } : {}),
    picture,
  };
}
