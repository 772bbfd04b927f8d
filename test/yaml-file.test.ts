import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readYamlMap } from '../lib/yaml-file.js';

let file: string;
beforeAll(() => (file = path.join(mkdtempSync(path.join(tmpdir(), 'fer-yaml-')), 'run.yaml')));
afterAll(() => rmSync(path.dirname(file), { recursive: true, force: true }));
const read = (text: string): Promise<Record<string, unknown>> => {
  writeFileSync(file, text);
  return readYamlMap(file, 'options');
};

describe('a YAML file', () => {
  it.each([
    ['an anchor', 'epochs: 3\nseed: &x 1', 'line 2, column 10: anchors and aliases are not read; write the value out'],
    ['an alias', 'epochs: 3\nbatchSize: &x 4\nseed: *x', 'line 2, column 15: anchors and aliases'],
    ['an alias of nothing', 'epochs: *x', 'line 1, column 9: anchors and aliases'],
    ['an alias of itself', 'epochs: &a [*a]', 'line 1, column 12: anchors and aliases'],
    [
      'aliases that multiply',
      `a0: &a0 [x]\n${Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`).join('\n')}`,
      'line 1, column 9: anchors and aliases',
    ],
    ['a tab', 'base:\n\tepochs: 1', 'line 2, column 1: Tabs are not allowed as indentation'],
    ['a key twice', 'epochs: 1\nseed: 2\nepochs: 3', 'line 3, column 1: Map keys must be unique'],
    ['a key twice in JSON', '{"epochs": 1, "epochs": 3}', 'line 1, column 15: Map keys must be unique'],
    ['a tag', 'epochs: !!js/function "x"', 'line 1, column 9: Unresolved tag'],
    ['a list as a key', '? [a]\n: 1', 'line 1, column 3: expected a name as the key'],
    ['two documents', 'a: 1\n---\nb: 2', 'line 2, column 1: Source contains multiple documents'],
  ])('with %s is refused, with the place', async (_, text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'ERR_FER_CONFIG',
      message: expect.stringContaining(`run.yaml: ${message}`) as string,
    });
  });

  it('has names of the prototype as keys of its own', async () => {
    expect(Object.entries(await read('__proto__: 1\nconstructor: 2\ntoString: 3'))).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
      ['toString', 3],
    ]);
  });
});
