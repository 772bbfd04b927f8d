/** Locks between real processes: `dist/`, as everything that starts a process here. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { alone, heldBy, Lock, type Owner } from '../lib/lock.js';

let folder: string;
beforeAll(() => (folder = mkdtempSync(path.join(tmpdir(), 'fer-lock-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let locks = 0;
const newFile = (): string => path.join(folder, `lock${locks++}`);

const CHILD = `
import { createInterface } from 'node:readline';
const { Lock } = await import(${JSON.stringify(path.resolve('dist/lock.js'))});
let held;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, file] = line.split(' ');
  if (word === 'release') { await held?.release(); held = undefined; console.log('released'); continue; }
  const lock = await Lock.take(file);
  if (lock instanceof Lock) held = lock;
  console.log(lock instanceof Lock ? 'won' : 'lost to ' + lock.pid);
}`;

class Child {
  private readonly process: ChildProcessWithoutNullStreams = spawn(process.execPath, ['--input-type=module', '-e', CHILD]);
  private readonly lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  readonly pid = this.process.pid!;

  async ask(words: string): Promise<string> {
    this.process.stdin.write(`${words}\n`);
    return ((await this.lines.next()) as IteratorYieldResult<string>).value;
  }
  async kill(): Promise<void> {
    const ended = new Promise((done) => this.process.once('exit', done));
    this.process.kill('SIGKILL');
    await ended;
  }
}

const taken = async (file: string): Promise<Lock> => {
  const lock = await Lock.take(file);
  expect(lock).toBeInstanceOf(Lock);
  return lock as Lock;
};

describe('of many processes that take a lock at once', () => {
  it.each(['that is free', 'whose holder has died', 'that is damaged'])('one wins, 20 times: %s', async (state) => {
    const children = Array.from({ length: 6 }, () => new Child());
    for (let round = 0; round < 20; round++) {
      const file = newFile();
      if (state === 'whose holder has died') {
        const dead = new Child();
        expect(await dead.ask(`take ${file}`)).toBe('won');
        await dead.kill();
      }
      if (state === 'that is damaged') writeFileSync(file, round % 2 ? '' : '{"pid":');
      const answers = await Promise.all(children.map((child) => child.ask(`take ${file}`)));
      const winners = children.filter((_, i) => answers[i] === 'won');
      expect(winners, answers.join()).toHaveLength(1);
      expect(answers.filter((answer) => answer === `lost to ${winners[0].pid}`)).toHaveLength(5);
      expect(await winners[0].ask('release')).toBe('released');
    }
    await Promise.all(children.map((child) => child.kill()));
    // Nothing is left of any of it.
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a lock', () => {
  it('is held until it is given back, against this process too', async () => {
    const file = newFile();
    const lock = await taken(file);
    const holder = (await Lock.take(file)) as Owner;
    expect(holder.pid).toBe(process.pid);
    expect(await heldBy(holder, file, 'runs/a')).toMatchObject({
      code: 'ERR_FER_CHECKPOINT',
      message: expect.stringMatching(`^runs/a is in use by this process ${process.pid} of .*; wait for its end`) as string,
      details: { pid: process.pid },
    });
    await lock.release();
    await (await taken(file)).release();
  });

  const changed = async (change: Partial<Owner>): Promise<string> => {
    const file = newFile();
    const lock = await taken(file);
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Owner;
    await lock.release();
    writeFileSync(file, JSON.stringify({ ...owner, ...change }));
    return file;
  };

  it.each([
    ['a process id that another process has now', { started: '1' }],
    ['a process id that no process has', { pid: 4194304 }],
    ['another boot of this host', { boot: 'before' }],
    ['a thread of this process that has ended', {}],
  ])('of %s is taken over', async (_, change) => (await taken(await changed(change))).release());

  it.each([
    ['another host', { host: 'elsewhere' }],
    ['another container', { space: 'pid:[1]' }],
  ])('of %s is respected, with the way out', async (where, change) => {
    const file = await changed(change);
    const holder = (await Lock.take(file)) as Owner;
    const { message } = await heldBy(holder, file, 'runs/a');
    expect(message).toContain(
      `on ${where}, where it showed itself within the last 5 minutes; if it has ended since, wait as long, or remove ${file}`,
    );
    // No sign of life for longer: it was killed there, and its job begins again here.
    const before = new Date(Date.now() - 301_000);
    utimesSync(file, before, before);
    await (await taken(file)).release();
  });

  it('shows that its holder lives', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const file = newFile();
      const lock = await taken(file);
      utimesSync(file, 0, 0);
      vi.advanceTimersByTime(30_000);
      await vi.waitFor(() => expect(Date.now() - statSync(file).mtimeMs).toBeLessThan(60_000));
      await lock.release();
    } finally {
      vi.useRealTimers();
    }
  });

  it('of a worker thread ends with it', async () => {
    const file = newFile();
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       import(${JSON.stringify(path.resolve('dist/lock.js'))}).then(async ({ Lock }) => {
         globalThis.lock = await Lock.take(${JSON.stringify(file)});
         parentPort.postMessage(globalThis.lock instanceof Lock);
         setInterval(() => undefined, 1000);
       });`,
      { eval: true },
    );
    expect(await new Promise((done) => worker.once('message', done))).toBe(true);
    expect(await Lock.take(file)).toMatchObject({ pid: process.pid });
    await worker.terminate();
    await (await taken(file)).release();
  });

  it('that someone else has taken since is left alone', async () => {
    const file = newFile();
    const first = await taken(file);
    rmSync(file);
    const second = await taken(file);
    await first.release();
    expect(await Lock.take(file)).not.toBeInstanceOf(Lock);
    await second.release();
  });

  it('is waited for where the work is short', async () => {
    const file = newFile();
    let at = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++at);
      await new Promise((done) => setTimeout(done, 5));
      at--;
    };
    await Promise.all(Array.from({ length: 8 }, () => alone(file, 'it', work)));
    expect(most).toBe(1);
  });

  it('is held by one alone, however many of one process ask at once', async () => {
    for (let round = 0; round < 50; round++) {
      const file = newFile();
      const locks = await Promise.all(Array.from({ length: 12 }, () => Lock.take(file)));
      const held = locks.filter((lock) => lock instanceof Lock);
      expect(held).toHaveLength(1);
      await held[0].release();
    }
  });

  it('that cannot be made is a typed error', async () => {
    await expect(Lock.take(path.join(folder, 'absent', 'lock'))).rejects.toMatchObject({ code: 'ERR_FER_WRITE' });
  });
});
