/**
 * A model as a folder that Hugging Face's hub and transformers.js take: the pipeline "image-classification" runs it.
 *
 *   config.json                what the classes are called
 *   preprocessor_config.json   what becomes of a picture before the graph
 *   model.safetensors          the weights, as this package has them
 *   onnx/model.onnx            the graph that transformers.js runs; with fp16 also onnx/model_fp16.onnx
 *   README.md                  the card, with what the hub reads of it; and the pictures that it shows
 */
import path from 'node:path';
import { writeFileAtomic } from '../atomic-file.js';
import { writeModelFile, type ModelFile } from '../network/model-file.js';
import { encodeOnnx } from '../network/onnx.js';
import { widthName } from '../network/width.js';
import type { OnnxOptions } from '../onnx/options.js';
import { readRegular } from '../regular-file.js';
import { cardTitle, modelCard, type CardFacts } from '../training/card.js';
import { stringify } from 'yaml';

/** transformers.js reads colour, cannot leave the grey to a processor, and computes the softmax itself. */
const GRAPH = { input: 'rgb', dynamicBatch: true } as const;

/** What may be chosen of the graph. */
export type LayoutOptions = Pick<OnnxOptions, 'opset' | 'foldBatchNorm' | 'fp16'>;

/** Pictures of a card. */
const PICTURES = ['confusion-matrix.png', 'curves.png'];

/**
 * Writes the folder; every file is whole or absent. `from`: the folder that the facts' pictures are in.
 * @returns the files, relative to `folder`
 * @throws {FerError} ERR_FER_WRITE, ERR_FER_ARGUMENT
 */
export async function writeHuggingFace(
  folder: string,
  model: ModelFile,
  facts: CardFacts,
  from: string,
  { fp16, ...graph }: LayoutOptions = {},
): Promise<string[]> {
  const written: string[] = [];
  const put = async (name: string, content: string | Uint8Array): Promise<void> => {
    await writeFileAtomic(path.join(folder, name), content);
    written.push(name);
  };
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  await put('config.json', json(config(model)));
  await put('preprocessor_config.json', json(preprocessor(model)));
  await writeModelFile(path.join(folder, 'model.safetensors'), model);
  written.push('model.safetensors');
  await put('onnx/model.onnx', await encodeOnnx(model, { ...graph, ...GRAPH }));
  if (fp16) await put('onnx/model_fp16.onnx', await encodeOnnx(model, { ...graph, ...GRAPH, fp16 }));
  const pictures = PICTURES.filter((name) => facts.files.has(name));
  for (const name of pictures) await put(name, await readRegular(path.join(from, name)));
  const card = modelCard({ ...facts, file: 'model.safetensors', files: new Set(pictures) });
  await put('README.md', `---\n${stringify(hubMetadata(facts))}---\n\n${card}\n\n${TRANSFORMERS}`);
  return written;
}

function config({ metadata: { classes, width, inputSize } }: ModelFile): Record<string, unknown> {
  return {
    architectures: ['MiniXception'],
    // transformers.js runs the graph of any type that it lists for image classification. This one it lists and Python's transformers
    // does not, so that nobody's weights are silently put into another network there.
    model_type: 'mobilenet_v4',
    num_channels: 3,
    image_size: inputSize,
    id2label: Object.fromEntries(classes.map((name, i) => [i, name])),
    label2id: Object.fromEntries(classes.map((name, i) => [name, i])),
    mini_xception: { width: widthName(width), stem: width.stem, modules: width.modules },
  };
}

/** Stretched to the network's size, bilinear; what is left of the way from 0..255 to -1..1 is in the graph. */
function preprocessor({ metadata: { inputSize } }: ModelFile): Record<string, unknown> {
  const BILINEAR = 2; // of Pillow
  return {
    image_processor_type: 'ViTImageProcessor',
    do_convert_rgb: true,
    do_resize: true,
    size: { height: inputSize, width: inputSize },
    resample: BILINEAR,
    do_rescale: false,
    do_normalize: false,
  };
}

/** The card's head, as the hub defines it. */
function hubMetadata(facts: CardFacts): Record<string, unknown> {
  const { evaluation, data } = facts;
  const name = cardTitle(facts);
  const result = (type: string, value: number): Record<string, unknown> => ({ type, value });
  return {
    library_name: 'transformers.js',
    pipeline_tag: 'image-classification',
    tags: ['facial-expression-recognition', 'mini-xception', 'fer-cudnn', 'onnx', 'safetensors'],
    ...(evaluation && {
      metrics: ['accuracy'],
      'model-index': [
        {
          name,
          results: [
            {
              task: { type: 'image-classification' },
              dataset: {
                name: data?.source ?? 'unnamed',
                type: (data?.name ?? 'images').toLowerCase().replace(/\W+/g, '-'),
                split: evaluation.split,
              },
              metrics: [result('accuracy', evaluation.accuracy), result('f1', evaluation.macroF1)],
            },
          ],
        },
      ],
    }),
  };
}

const TRANSFORMERS = `## transformers.js

\`\`\`js
import { pipeline } from '@huggingface/transformers';

const classifier = await pipeline('image-classification', '<this model>', { dtype: 'fp32' });
console.log(await classifier('face.jpg'));
\`\`\`
`;
