/** The JavaScript in README.md and docs/ runs, as it stands there, beside files of the names it uses. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { syntheticFaces } from '../lib/data/synthetic.js';

const root = path.resolve('.');
const scripts = path.join(root, 'build', 'docs'); // inside the package, so that it finds itself by name
const pages = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter((name) => name.endsWith('.md'));
const blocks = pages.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(([, code], i) => ({ name: `${page}, block ${i + 1}`, code })),
);
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-docs-'));
  mkdirSync(scripts, { recursive: true });
  symlinkSync(path.join(root, 'models'), path.join(folder, 'models'));
  const faces = syntheticFaces();
  await sharp(faces.images.subarray(0, 2304), { raw: { width: 48, height: 48, channels: 1 } })
    .jpeg()
    .toFile(path.join(folder, 'face.jpg'));
  const rows = [...faces.splits.values()].flatMap((split, i) =>
    [...split.subarray(0, 14)].map((row) => {
      const pixels = faces.images.subarray(row * 2304, (row + 1) * 2304).join(' ');
      return `${faces.labels[row]},${pixels},${['Training', 'PublicTest', 'PrivateTest'][i]}`;
    }),
  );
  writeFileSync(path.join(folder, 'fer2013.csv.gz'), gzipSync(`emotion,pixels,Usage\n${rows.join('\n')}\n`));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('finds the examples', () => expect(blocks.length).toBeGreaterThanOrEqual(2));

it.each(blocks)('$name', ({ name, code }) => {
  const file = path.join(scripts, `${name.replace(/\W+/g, '-')}.mjs`);
  writeFileSync(file, code);
  const { status, stderr, stdout } = spawnSync(process.execPath, [file], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: path.join(folder, 'cache') },
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).not.toBe('');
});
