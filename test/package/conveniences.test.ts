/** What only makes life easier never ends the work: it is left out, and one line says so. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, inject, it } from 'vitest';
import { facesCsv } from './faces.js';
import { run } from './installed.js';

const place = { cwd: inject('project'), bin: inject('bin') };
const at = (...parts: string[]): string => path.join(place.cwd, ...parts);

beforeAll(() => writeFileSync(at('small.csv'), facesCsv()));

const evaluate = (env: NodeJS.ProcessEnv, node: readonly string[] = [], out?: string) =>
  run('node', [...node, at('node_modules/.bin/fer-cudnn'), 'evaluate', '--data', 'small.csv', ...(out ? ['--out', out] : [])], {
    ...place,
    env,
  });

it('a user id that the system does not know, and no HOME: nothing is kept for the next start', async () => {
  // What Node does then: os.homedir() throws.
  writeFileSync(
    at('no-home.cjs'),
    `require('node:os').homedir = () => { throw Object.assign(new Error('uv_os_homedir returned ENOENT'), { code: 'ERR_SYSTEM_ERROR' }); };
    require('node:module').syncBuiltinESMExports();`,
  );
  const { status, stdout } = await evaluate({ HOME: undefined, XDG_CACHE_HOME: undefined }, ['--require', at('no-home.cjs')]);
  expect(stdout).toContain('accuracy');
  expect(status).toBe(0);
});

it('a cache folder that cannot be written', async () => {
  writeFileSync(at('a-file'), '');
  const { status, stdout, stderr } = await evaluate({ FER_CACHE_DIR: at('a-file', 'cache') });
  expect(stdout).toContain('accuracy');
  expect(stderr).toMatch(
    /^note: no packed copy of the data set was kept in .*a-file.* \(ENOTDIR\): the next start parses the file again$/m,
  );
  expect(status).toBe(0);
});

it('a file system that cannot flush', async () => {
  writeFileSync(
    at('no-fsync.mjs'),
    `import { open } from 'node:fs/promises';
    const handle = await open(new URL(import.meta.url));
    Object.getPrototypeOf(handle).sync = () => Promise.reject(Object.assign(new Error('ENOSYS: function not implemented, fsync'), { code: 'ENOSYS' }));
    await handle.close();`,
  );
  rmSync(at('figures'), { recursive: true, force: true });
  const { status, stderr } = await evaluate({ FER_CACHE_DIR: at('cache') }, ['--import', at('no-fsync.mjs')], 'figures');
  expect(stderr).toMatch(/^note: the file system of .* cannot flush \(ENOSYS\): a power cut may cost what was written last$/m);
  expect(readdirSync(at('figures')).sort()).toEqual(['confusion-matrix.png', 'confusion-matrix.svg', 'evaluation.json', 'report.txt']);
  expect(status).toBe(0);
});

it('a font that is out of reach: no PNG without words', async () => {
  const fonts = at('node_modules/dejavu-fonts-ttf/ttf');
  writeFileSync(
    at('no-fonts.mjs'),
    `import fs from 'node:fs/promises';
    import { syncBuiltinESMExports } from 'node:module';
    const { readFile } = fs;
    fs.readFile = (file, ...rest) => String(file).startsWith(${JSON.stringify(fonts)}) ? Promise.reject(new Error('ENOENT: no such font')) : readFile(file, ...rest);
    syncBuiltinESMExports();`,
  );
  rmSync(at('figures'), { recursive: true, force: true });
  const { status, stderr } = await evaluate({ FER_CACHE_DIR: at('cache') }, ['--import', at('no-fonts.mjs')], 'figures');
  expect(stderr).toMatch(/^note: charts are written as SVG alone, because no PNG can be drawn: ENOENT: no such font$/m);
  expect(stderr).toMatch(/^wrote figures\/evaluation.json, report.txt, confusion-matrix.svg$/m);
  expect(readdirSync(at('figures'))).not.toContain('confusion-matrix.png');
  expect(status).toBe(0);
});

it('a run folder that cannot be made stops a run before it trains, not after', async () => {
  mkdirSync(at('file-not-folder'), { recursive: true });
  writeFileSync(at('file-not-folder', 'x'), '');
  const { status, stderr } = await run('fer-cudnn', ['train', '--epochs', '1', '--out', 'file-not-folder/x/run'], place);
  expect(stderr).not.toContain('epoch 1');
  expect(status).toBe(1);
});
