/** The frames of a clip, one after another, as ffmpeg decodes them. Nothing is kept: a clip may be as long as it likes. */
import { spawn } from 'node:child_process';
import { FerError } from '../errors.js';
import { openRegular } from '../regular-file.js';

/** One picture of a clip. */
export interface Frame {
  /** From the beginning, seconds. */
  time: number;
  /** The picture, a path or encoded. */
  picture: string | Uint8Array;
}

/** What is taken for a clip by the end of its name. */
export const CLIP = /\.(mp4|m4v|mov|mkv|webm|avi|mpe?g|ogv|wmv|3gp|ts)$/i;

const SIGNATURE = 8;

/** How long the first PNG of `bytes` is; 0 where its end has not come yet. */
function lengthOfPng(bytes: Buffer): number {
  for (let at = SIGNATURE; at + 8 <= bytes.length; ) {
    const end = at + 12 + bytes.readUInt32BE(at);
    if (bytes.toString('latin1', at + 4, at + 8) === 'IEND') return end <= bytes.length ? end : 0;
    at = end;
  }
  return 0;
}

/**
 * `perSecond` frames a second.
 * @throws {FerError} ERR_FER_PACKAGE_MISSING without ffmpeg, ERR_FER_DATA_NOT_FOUND, ERR_FER_DATA_FORMAT for what ffmpeg cannot read
 */
export async function* clipFrames(file: string, perSecond: number): AsyncGenerator<Frame> {
  await (await openRegular(file)).handle.close();
  // Files alone: a playlist cannot send ffmpeg elsewhere.
  const reading = ['-nostdin', '-loglevel', 'error', '-protocol_whitelist', 'file,pipe', '-i', `file:${file}`];
  const writing = ['-an', '-vf', `fps=${perSecond}`, '-c:v', 'png', '-compression_level', '1', '-f', 'image2pipe', 'pipe:1'];
  const ffmpeg = spawn('ffmpeg', [...reading, ...writing], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  ffmpeg.stderr.on('data', (bytes: Buffer) => (complaint = (complaint + bytes.toString()).slice(-2000)));
  const ended = new Promise<number | null>((resolve, reject) => ffmpeg.on('error', reject).on('close', resolve));
  ended.catch(() => undefined);
  let [left, count] = [Buffer.alloc(0), 0];
  try {
    for await (const piece of ffmpeg.stdout as AsyncIterable<Buffer>) {
      left = Buffer.concat([left, piece]);
      for (let length = lengthOfPng(left); length > 0; length = lengthOfPng(left)) {
        yield { time: count++ / perSecond, picture: Uint8Array.from(left.subarray(0, length)) };
        left = left.subarray(length);
      }
    }
    const status = await ended;
    if (status !== 0) throw new Error(complaint.trim().split('\n')[0] || `ffmpeg ended with ${status}`);
    if (count === 0) throw new Error('it has no pictures');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new FerError('ERR_FER_PACKAGE_MISSING', `reading ${file} needs ffmpeg, which is not on the PATH: install it (Debian, Ubuntu: sudo apt-get install ffmpeg), or give a folder of frames with --frames`, { cause }); // prettier-ignore
    throw new FerError('ERR_FER_DATA_FORMAT', `${file} is not a clip that ffmpeg reads: ${message}`, { cause, details: { file } });
  } finally {
    ffmpeg.kill();
  }
}

/** Pictures that are a clip together, in their order. */
export function* pictureFrames(files: readonly string[], perSecond: number): Generator<Frame> {
  for (const [i, picture] of files.entries()) yield { time: i / perSecond, picture };
}
