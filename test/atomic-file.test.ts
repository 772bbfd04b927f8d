import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { isTemporary, makeFolder, temporaryName, writeError, writeFileAtomic } from '../lib/atomic-file.js';

const root = mkdtempSync(path.join(tmpdir(), 'fer-atomic-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(root, 'each-'))));
const refusal = (message: RegExp) => ({ code: 'ERR_FER_WRITE', message: expect.stringMatching(message) as string });

describe('a file', () => {
  it('may be written by many at once: each succeeds, one remains, whole', async () => {
    const file = path.join(folder, 'x');
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(100_000));
    await Promise.all(texts.map((text) => writeFileAtomic(file, text)));
    expect(texts).toContain(readFileSync(file, 'utf8'));
    expect(readdirSync(folder)).toEqual(['x']);
  });

  it('may be written by many processes at once', () => {
    const file = path.join(folder, 'x');
    const program = `const { writeFileAtomic } = await import(${JSON.stringify(path.resolve('dist/atomic-file.js'))});
      for (let i = 0; i < 50; i++) await writeFileAtomic(${JSON.stringify(file)}, String(process.pid).repeat(10_000));`;
    writeFileSync(path.join(folder, 'program.mjs'), program);
    const started = execFileSync('bash', ['-c', 'for i in 1 2 3 4; do node program.mjs & pids+=($!); done; for p in "${pids[@]}"; do wait $p || exit 1; done; echo all'], { cwd: folder, encoding: 'utf8' }); // prettier-ignore
    expect(started.trim()).toBe('all');
    expect(readFileSync(file, 'utf8')).toMatch(/^(\d+)\1{9999}$/);
    expect(readdirSync(folder).sort()).toEqual(['program.mjs', 'x']);
  });

  it('is written beside what a killed process left', async () => {
    const file = path.join(folder, 'x');
    const left = temporaryName(file);
    writeFileSync(left, 'half');
    await writeFileAtomic(file, 'whole');
    expect(readFileSync(file, 'utf8')).toBe('whole');
    expect(isTemporary(path.basename(left))).toBe(true);
    expect(isTemporary('model.tmp')).toBe(false);
  });
});

describe('what cannot be written', () => {
  it('because a folder is there is said so, and it stays', async () => {
    mkdirSync(path.join(folder, 'x', 'y'), { recursive: true });
    await expect(writeFileAtomic(path.join(folder, 'x'), 'text')).rejects.toMatchObject(
      refusal(/x cannot be written: there is a folder of that name \(E\w+\); choose another name/),
    );
    expect(readdirSync(folder)).toEqual(['x']);
  });

  it('because a file stands in its path is said so', async () => {
    writeFileSync(path.join(folder, 'x'), '');
    await expect(writeFileAtomic(path.join(folder, 'x', 'y'), 'text')).rejects.toMatchObject(
      refusal(/\/x cannot be written: there is a file of that name \(EEXIST\)/),
    );
    await expect(makeFolder(path.join(folder, 'x', 'y', 'z'))).rejects.toMatchObject(refusal(/a part of its path is a file \(ENOTDIR\)/));
  });

  it('because its name is too long is said so', async () => {
    await expect(writeFileAtomic(path.join(folder, 'x'.repeat(250)), 'text')).rejects.toMatchObject(refusal(/the name is too long/));
  });

  /** Lines of a program under a limit of the shell. */
  const limited = (limit: string, lines: string): string => {
    const program = `const { writeFileAtomic } = await import(${JSON.stringify(path.resolve('dist/atomic-file.js'))});
      const { openSync } = await import('node:fs');
      const tell = (error) => console.log(error.code, error.message);
      process.on('SIGXFSZ', () => undefined);
      ${lines}`;
    writeFileSync(path.join(folder, 'program.mjs'), program);
    const { stdout, stderr } = spawnSync('bash', ['-c', `${limit}; node program.mjs`], { cwd: folder, encoding: 'utf8' });
    return stdout + stderr;
  };

  it('because no more files may be open is said so', () => {
    const told = limited(
      'ulimit -n 64',
      `try { for (;;) openSync('/dev/null'); } catch {} await writeFileAtomic('x', 'text').catch(tell);`,
    );
    expect(told).toMatch(/^ERR_FER_WRITE x cannot be written: this process has too many files open \(EMFILE\); raise the limit: ulimit -n/);
  });

  it('because it grows too large is said so, and what was there stays', () => {
    const told = limited('ulimit -f 8', `await writeFileAtomic('x', 'before'); await writeFileAtomic('x', 'x'.repeat(1e6)).catch(tell);`);
    expect(told).toMatch(/^ERR_FER_WRITE x cannot be written: the file would be larger than is allowed \(EFBIG\); raise the limit/);
    expect(readFileSync(path.join(folder, 'x'), 'utf8')).toBe('before');
    expect(readdirSync(folder).sort()).toEqual(['program.mjs', 'x']);
  });

  it.each([
    ['ENOSPC', /runs\/a cannot be written: the disk is full \(ENOSPC\); free some space there, or choose another folder/],
    ['EDQUOT', /the quota is used up/],
    ['EROFS', /the file system is read-only/],
    ['EACCES', /it is not permitted/],
    ['EUNKNOWN', /EUNKNOWN: words of the system/],
  ])('for %s has words', (code, message) => {
    const cause = Object.assign(new Error(`${code}: words of the system`), { code, errno: -1 });
    expect(writeError('runs/a', cause)).toMatchObject({ ...refusal(message), cause, details: { file: 'runs/a', reason: code } });
  });

  it("for a reason that is no system's stays what it was", () => {
    const error = new TypeError('x');
    expect(writeError('runs/a', error)).toBe(error);
  });
});
