/** What the documentation names exists. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ATTACKS } from './torture/attacks/registry.mjs';

describe('docs/reliability.md', () => {
  const page = readFileSync('docs/reliability.md', 'utf8');
  const rows = page
    .slice(page.indexOf('## Which fault is held'))
    .split('\n')
    .filter((line) => /^\| [^f-]/.test(line));
  const names = rows.flatMap((row) => [...row.slice(row.lastIndexOf('| ', row.length - 3)).matchAll(/`([^`]+)`/g)].map(([, name]) => name));

  it('names for each fault tests and attacks that are there', () => {
    expect(rows.length).toBeGreaterThan(30);
    expect(names.length).toBeGreaterThan(rows.length);
    const attacks = new Set(ATTACKS.map(({ name }: { name: string }) => name));
    expect(names.filter((name) => !attacks.has(name) && !existsSync(name))).toEqual([]);
  });
});
