import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticFaces } from '../../lib/data/synthetic.js';
import { MiniXception } from '../../lib/model.js';
import { crc32c, record } from '../../lib/tracking/event-schema.js';
import { settingsOf } from '../../lib/tracking/settings.js';
import { tensorBoard } from '../../lib/tracking/tensorboard.js';
import { resolveConfig } from '../../lib/training/config.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-tensorboard-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const eventFiles = (of: string): string[] => readdirSync(of).filter((name) => name.startsWith('events.out.tfevents.'));

/** The records' data; each checksum is compared. */
function records(file: string): Buffer[] {
  const bytes = readFileSync(file);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(Buffer.from(record(data))).toEqual(bytes.subarray(at, at + 16 + length));
    found.push(data);
    at += 16 + length;
  }
  return found;
}

it('every option has a value that trackers know', () => {
  const settings = settingsOf(resolveConfig({ preset: 'clean', teacher: ['narrow', 'robust'] }));
  for (const [name, value] of settings) expect(['string', 'number', 'boolean'], name).toContain(typeof value);
  expect(Object.fromEntries(settings)).toMatchObject({ teacher: 'narrow, robust', preset: 'clean', epochs: 100, balanceClasses: false });
});

describe('event files', () => {
  it('have the checksums of RFC 3720', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  });

  it('have a record an epoch, the test figures and a picture; one that goes on has them all again', async () => {
    const runFolder = path.join(folder, 'run');
    const data = syntheticFaces({ size: 20 });
    const create = (): MiniXception => MiniXception.create({ width: { stem: [3, 4], modules: [5] }, inputSize: 20 });
    using first = create();
    const stop = new AbortController();
    const onEpoch = (): void => stop.abort();
    await first.fit(data, { preset: 'quick', epochs: 3, runFolder, trackers: [tensorBoard()], signal: stop.signal, onEpoch });
    const [before] = eventFiles(runFolder);
    expect(records(path.join(runFolder, before))).toHaveLength(4); // version, start, options, an epoch
    using second = create();
    await second.fit(data, { runFolder, resume: true, trackers: [tensorBoard()] });
    const after = eventFiles(runFolder).find((name) => name !== before)!;
    const all = records(path.join(runFolder, after));
    expect(all).toHaveLength(3 + 3 + 3); // three epochs; figures, picture, end
    expect(all[0].toString('latin1')).toContain('brain.Event:2');
    expect(all[7].includes(Buffer.from('89504e470d0a1a0a', 'hex'))).toBe(true);
    expect(all[7].toString('latin1')).toContain('confusion_matrix');
    expect(path.basename(before) < path.basename(after)).toBe(true);
  });

  it('go where they are asked to, or nowhere: then the run does not begin', async () => {
    using model = MiniXception.create({ width: { stem: [3, 4], modules: [5] }, inputSize: 20 });
    const data = syntheticFaces({ size: 20 });
    const own = path.join(folder, 'own');
    await model.fit(data, { preset: 'quick', epochs: 1, trackers: [tensorBoard(own)] });
    expect(eventFiles(own)).toHaveLength(1);
    await expect(model.fit(data, { preset: 'quick', epochs: 1, trackers: [tensorBoard()] })).rejects.toMatchObject({
      code: 'ERR_FER_ARGUMENT',
    });
    await expect(model.fit(data, { preset: 'quick', epochs: 1, trackers: [tensorBoard('/dev/null/events')] })).rejects.toMatchObject({
      code: 'ERR_FER_WRITE',
    });
  });
});
