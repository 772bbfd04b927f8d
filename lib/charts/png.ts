/** SVG to PNG. Fonts come with the package, so that machines without any draw the same. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { renderAsync } from '@resvg/resvg-js';
import { writeFileAtomic } from '../atomic-file.js';
import { FONT } from './theme.js';

const require = createRequire(import.meta.url);
const FILES = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'];

/** Archives that Node reads as folders, under Yarn's Plug'n'Play and in Electron, and native code does not. */
const INSIDE_AN_ARCHIVE = /\.(zip|asar)[\\/]/;

/** A file that native code can read: itself, or a copy of one in an archive. */
async function realFile(file: string): Promise<string> {
  const bytes = await readFile(file);
  if (!INSIDE_AN_ARCHIVE.test(file)) return file;
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const copy = path.join(tmpdir(), `fer-cudnn-${process.getuid?.() ?? 'user'}`, `${hash}-${path.basename(file)}`);
  const { size = 0 } = await stat(copy).catch(() => ({ size: 0 }));
  if (size !== bytes.length) await writeFileAtomic(copy, bytes);
  return copy;
}

let fonts: Promise<string[]> | undefined;

/**
 * `zoom`: pixels a unit of the SVG.
 * @throws where a font cannot be read: a chart without words is none.
 */
export async function svgToPng(svg: string, zoom: number): Promise<Uint8Array> {
  const folder = path.join(path.dirname(require.resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  fonts ??= Promise.all(FILES.map((file) => realFile(path.join(folder, file))));
  const font = { fontFiles: await fonts, loadSystemFonts: false, defaultFontFamily: FONT };
  return (await renderAsync(svg, { fitTo: { mode: 'zoom', value: zoom }, font })).asPng();
}
