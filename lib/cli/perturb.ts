/** `fer-cudnn perturb`: a face turned, lit otherwise or spoilt, as a picture. */
import path from 'node:path';
import { Command, Option } from 'commander';
import type { Box, GreyPicture } from '../data/image.js';
import { FerError } from '../errors.js';
import { SEVERITIES, type Parameter, type Severity } from '../perturb/definition.js';
import { atSeverity, definitionOf, PERTURBATION_TYPES, type Perturbation } from '../perturb/registry.js';
import { accepts, expectation } from '../perturb/settings.js';
import { boxOf, usageError, wholeNumberOf } from './options.js';
import { note, print } from './output.js';
import { table } from '../plain-text.js';

const FORMATS = ['.png', '.jpg', '.jpeg', '.webp', '.tif', '.tiff'];

/** "fill=0..255|reflect|edge [0]" */
const parameterText = ([name, { range, choices = [], drawn, default: standard }]: [string, Parameter]): string =>
  `${name}=${[...(range ? [range.join('..')] : []), ...choices].join('|')} [${drawn ? 'drawn' : standard}]`;

const parameters = PERTURBATION_TYPES.flatMap((type) => {
  const { flag, main, parameters } = definitionOf(type);
  const others = Object.entries(parameters).filter(([name]) => name !== main);
  return others.length > 0 ? [`  --${flag.padEnd(10)} ${others.map(parameterText).join('  ')}`] : [];
});

const severities = table(
  PERTURBATION_TYPES.map((type) => {
    const { title, main, severities } = definitionOf(type);
    return [`  ${title}, ${main}`, ...severities.map((settings) => String(settings[main]))];
  }),
);

const EXAMPLES = `
Examples:
  $ fer-cudnn perturb face.jpg --rotate 15 --brightness 1.3 -o out.png     turned, then brightened
  $ fer-cudnn perturb face.jpg --rotate -30,interpolation=bicubic,fill=edge,size=loose
  $ fer-cudnn perturb photo.jpg --box 120,80,200,200 --size 48 --noise 20  what a network would see
  $ fer-cudnn perturb face.jpg --all -o faces/                             every perturbation at five severities
  $ fer-cudnn perturb face.jpg --all --severity 3 -o faces/
  $ fer-cudnn perturb face.jpg --all --size 48 -o sheet.png                the same as one picture

The picture becomes grey, as for a network. Without --size it keeps its own size; --size 48 shows what a perturbation is to
FER2013's images, for which the severities are meant.

Perturbations apply in the order given, and one may come twice. After its strength a flag takes more, as name=value,
here with defaults (docs/perturbations.md says what they mean; "drawn" is from the seed):
${parameters.join('\n')}

Rotation follows MATLAB's imrotate (counter-clockwise, nearest pixel, black outside), cropped; brightness its product of
uint8 and double (halves away from zero, saturated). Severities 1 to 5:
${severities}`;

interface PerturbFlags {
  out?: string;
  box?: Box;
  size?: number;
  seed: number;
  all?: boolean;
  severity?: Severity;
}

export function perturbCommand(): Command {
  const chain: Perturbation[] = [];
  const command = new Command('perturb')
    .description('Writes a grey copy of a picture, perturbed as the robustness experiment does.')
    .argument('<picture>', 'JPEG, PNG, WebP, GIF, AVIF, TIFF or SVG')
    .option('-o, --out <path>', `picture to write (${FORMATS.join(', ')}); with --all a folder, or one picture [<name>-perturbed.png]`)
    .option('--box <x,y,width,height>', "the face's place in the picture, pixels [the whole picture]", boxOf)
    .option('--size <pixels>', 'stretch the face to a square of this side first [as it is]', wholeNumberOf('--size', 8, 4096))
    .addOption(
      new Option('--seed <n>', 'of noise, places and directions').default(0).argParser(wholeNumberOf('--seed', 0, Number.MAX_SAFE_INTEGER)),
    )
    .option('--all', 'every perturbation, at every severity or the one given')
    .option('--severity <1..5>', 'with --all: only this one', (text) => wholeNumberOf('--severity', 1, 5)(text) as Severity)
    .optionsGroup('Perturbations:');
  for (const type of PERTURBATION_TYPES) {
    const { flag, main, describe, parameters } = definitionOf(type);
    const { range, unit } = parameters[main];
    command.option(`--${flag} <${main}>`, `${describe} ${main}: ${range?.join(' to ')}${unit ? ` ${unit}` : ''}`, (text) => {
      chain.push(readPerturbation(type, text));
      return chain;
    });
  }
  return command.addHelpText('after', EXAMPLES).action((picture: string, flags: PerturbFlags) => perturbPicture(picture, chain, flags));
}

/** "15" or "15,fill=edge": the strength, then other parameters by name. */
function readPerturbation(type: Perturbation['type'], text: string): Perturbation {
  const { flag, main, parameters } = definitionOf(type);
  const settings: Record<string, number | string> = { type };
  for (const [i, part] of text.split(',').entries()) {
    const [name, value] = i === 0 ? [main, part.trim()] : part.split(/=(.*)/s).map((piece) => piece.trim());
    if (!Object.hasOwn(parameters, name)) throw usageError(`--${flag}`, `${Object.keys(parameters).join(', ')} before =`, part);
    const read = value !== undefined && value !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
    if (!accepts(parameters[name], read)) throw usageError(`--${flag}`, `${expectation(parameters[name])} as ${name}`, value ?? '');
    settings[name] = read;
  }
  return settings as unknown as Perturbation;
}

async function perturbPicture(picture: string, chain: Perturbation[], flags: PerturbFlags): Promise<void> {
  if (flags.all && chain.length > 0) throw new FerError('ERR_FER_USAGE', '--all and single perturbations exclude each other');
  if (flags.severity !== undefined && !flags.all) throw new FerError('ERR_FER_USAGE', '--severity goes with --all');
  if (!flags.all && chain.length === 0)
    throw new FerError('ERR_FER_USAGE', 'no perturbation was named; give one, such as --rotate 15, or --all');
  const { name } = path.parse(picture);
  const isPicture = flags.out !== undefined && FORMATS.includes(path.extname(flags.out).toLowerCase());
  const out = flags.out ?? (flags.all ? `${name}-perturbed` : `${name}-perturbed.png`);
  if (!flags.all && flags.out !== undefined && !isPicture) throw usageError('--out', `a file name that ends in ${FORMATS.join(', ')}`, out);

  if (path.resolve(out) === path.resolve(picture)) throw usageError('--out', 'another file than the picture itself', out);

  const [{ perturb }, { readPicture, decodeImage }] = await Promise.all([import('../perturb/index.js'), import('../data/image.js')]);
  const { box, size, seed } = flags;
  const face =
    size === undefined ? await readPicture(picture, box) : { pixels: await decodeImage(picture, { size, box }), width: size, height: size };
  if (!flags.all) return writePicture(await perturb(face, chain, { seed }), out);

  const chosen = flags.severity === undefined ? SEVERITIES : [flags.severity];
  const rows = await Promise.all(
    PERTURBATION_TYPES.map((type) => Promise.all(chosen.map((severity) => perturb(face, atSeverity(type, severity), { seed })))),
  );
  if (isPicture) {
    await writePicture(sheet(rows.map((row) => [face, ...row])), out);
    print(`rows: ${PERTURBATION_TYPES.join(', ')}`);
    print(`columns: as it is, severity ${chosen.join(', ')}`);
    return;
  }
  for (const [i, row] of rows.entries())
    for (const [j, image] of row.entries()) await writePicture(image, path.join(out, `${name}-${PERTURBATION_TYPES[i]}-${chosen[j]}.png`));
}

/** Pictures of one size in rows, with a white gap between them. */
function sheet(rows: GreyPicture[][]): GreyPicture {
  const gap = 2;
  const { width, height } = rows[0][0];
  const across = rows[0].length * (width + gap) - gap;
  const down = rows.length * (height + gap) - gap;
  const pixels = new Uint8Array(across * down).fill(255);
  rows.forEach((row, i) =>
    row.forEach((image, j) => {
      for (let y = 0; y < height; y++)
        pixels.set(image.pixels.subarray(y * width, (y + 1) * width), (i * (height + gap) + y) * across + j * (width + gap));
    }),
  );
  return { pixels, width: across, height: down };
}

async function writePicture({ pixels, width, height }: GreyPicture, file: string): Promise<void> {
  const [{ default: sharp }, { writeFileAtomic }] = await Promise.all([import('sharp'), import('../atomic-file.js')]);
  const format = path.extname(file).slice(1).toLowerCase() as 'png';
  const encoded = await sharp(pixels, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .toFormat(format)
    .toBuffer();
  await writeFileAtomic(file, encoded);
  note(`wrote ${file} (${width}x${height})`);
}
