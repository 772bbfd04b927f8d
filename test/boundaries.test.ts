import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';

const roots: string[] = [];
afterAll(() => roots.forEach((root) => rmSync(root, { recursive: true })));

/** What scripts/check-boundaries.mjs says of a tree with these files. */
function check(files: Record<string, string>): { status: number | null; stderr: string } {
  const root = mkdtempSync(path.join(tmpdir(), 'fer-rooms-'));
  roots.push(root);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  return spawnSync(process.execPath, ['scripts/check-boundaries.mjs', '--root', root], { encoding: 'utf8' });
}

it('accepts imports along the rows', () => {
  const files = { 'lib/data/set.ts': "import { fail } from '../errors.js';", 'lib/errors.ts': 'export const fail = 0;' };
  expect(check(files)).toMatchObject({ status: 0, stderr: '' });
});

it.each([
  [
    'an import against the direction',
    { 'lib/data/set.ts': "import { train } from '../training/loop.js';" },
    'lib/data/set.ts imports training/loop.ts: data may use native',
  ],
  [
    'one by type',
    { 'lib/data/set.ts': "import type {\n  Row,\n} from '../training/loop.js';" },
    'lib/data/set.ts imports training/loop.ts: data may use native',
  ],
  ['a room without a row', { 'lib/utils/set.ts': "import { a } from '../errors.js';" }, 'lib/utils/set.ts: utils has no row'],
  [
    'files in a circle, one way by type',
    { 'lib/data/a.ts': "import { b } from './b.js';", 'lib/data/b.ts': "import type { A } from './a.js';" },
    'imports in a circle: lib/data/a.ts → lib/data/b.ts → lib/data/a.ts',
  ],
  [
    'a circle through what loads when used',
    { 'lib/data/a.ts': "const b = await import('./b.js');", 'lib/data/b.ts': "export { a } from './a.js';" },
    'imports in a circle: lib/data/a.ts → lib/data/b.ts → lib/data/a.ts',
  ],
  [
    'a picture that shows another order',
    { 'docs/architecture.md': '```\ndata/ cli/\nnetwork/\n```' },
    'network has data in its row, which is not below it in docs/architecture.md',
  ],
  [
    'a picture of the native half that shows another order',
    { 'docs/architecture.md': '```\nnative.ts\n⇅\nops.h\nbackend.h\n```' },
    'backend.h has ops.h in its row, which is not below it in docs/architecture.md',
  ],
  [
    'a table that says another use',
    { 'docs/architecture.md': '```\n⇅\n```\n| `native/plugin/` | the boundary | `cpu/` |\n' },
    'docs/architecture.md says that native/plugin uses `cpu/`; its row has `base/`, `backend.h`, `ops.h`',
  ],
  ['a room without a line in a table', { 'docs/architecture.md': '```\n⇅\n```\n' }, 'native/addon is in no table of docs/architecture.md'],
  [
    'rooms in a circle whose files are in none',
    {
      'lib/data/a.ts': "import { b } from '../native.js';",
      'lib/native.ts': "import type { C } from './data/c.js';",
      'lib/data/c.ts': 'export type C = 0;',
    },
    'rooms in a circle: lib/data → lib/native → lib/data',
  ],
])('refuses %s', (_, files, fault) => {
  const { status, stderr } = check(files);
  expect(status).toBe(1);
  expect(stderr).toContain(fault);
});
