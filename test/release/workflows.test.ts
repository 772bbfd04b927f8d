import { readFileSync } from 'node:fs';
import { globSync } from 'tinyglobby';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { TARGETS } from '../../scripts/targets.mjs';

const files = (pattern: string): string[] => globSync(pattern, { dot: true }).sort();

describe.each(files('.github/workflows/*.yml'))('%s', (file) => {
  const text = readFileSync(file, 'utf8');

  it('pins each action to a commit, beside the version that it is', () => {
    const uses = text.match(/uses: .*/g) ?? [];
    expect(uses.filter((line) => !/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  it('may only read, unless a job says more', () => {
    expect(parse(text).permissions).toEqual({ contents: 'read' });
  });
});

describe('the release workflow', () => {
  const { jobs, on } = parse(readFileSync('.github/workflows/release.yml', 'utf8'));

  it('tries the packed files on every platform that a release needs', () => {
    const tried = jobs.try.strategy.matrix.kind.map(({ target }: { target: string }) => target);
    expect(new Set(tried)).toEqual(new Set(Object.keys(TARGETS)));
    expect(jobs.try.strategy.matrix.node).toEqual([20, 22, 24]);
  });

  it('publishes for a tag alone, after everything was tried, and lets no other job write', () => {
    expect(on).toEqual({ push: { tags: ['v*'] }, workflow_dispatch: null });
    expect(jobs.publish).toMatchObject({ if: "github.event_name == 'push'", needs: ['state', 'pack', 'try'] });
    const rights = Object.entries(jobs).map(([name, job]) => [name, (job as { permissions?: object }).permissions]);
    expect(Object.fromEntries(rights.filter(([, given]) => given))).toEqual({
      publish: { contents: 'read', 'id-token': 'write' },
      pages: { pages: 'write', 'id-token': 'write' },
    });
  });
});

describe.each(files('.github/ISSUE_TEMPLATE/!(config).yml'))('%s', (file) => {
  const form = parse(readFileSync(file, 'utf8'));

  it('is a form that GitHub takes', () => {
    expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) });
    const fields = form.body.filter(({ type }: { type: string }) => type !== 'markdown');
    const ids = fields.map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, type, attributes } of fields) {
      expect(['textarea', 'input', 'dropdown', 'checkboxes'], id).toContain(type);
      expect(attributes.label, id).toEqual(expect.any(String));
      if (type === 'dropdown')
        expect(
          attributes.options.every((option: unknown) => typeof option === 'string'),
          id,
        ).toBe(true);
    }
  });
});

it('a bug report has what doctor prints', () => {
  const { body } = parse(readFileSync('.github/ISSUE_TEMPLATE/bug.yml', 'utf8'));
  const doctor = body.find(({ id }: { id: string }) => id === 'doctor');
  expect(doctor.attributes.label).toContain('fer-cudnn doctor');
  expect(doctor.validations).toEqual({ required: true });
});
