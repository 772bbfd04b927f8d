/** How a server is set up: its options, their ranges and defaults. */
import type { DeviceOptions } from '../device.js';
import { invalidArgument } from '../errors.js';
import { PRETRAINED_NAMES } from '../pretrained.js';

/** What is served, where, and within which limits. */
export interface ServeOptions extends DeviceOptions {
  /** Packaged models by name, or model files; the first answers where a request names none. Default: all packaged models. */
  models?: readonly string[];
  /** Address to listen on. Default "127.0.0.1": this machine alone. */
  host?: string;
  /** 0 to 65535; 0 takes one that is free. Default 8080. */
  port?: number;
  /** Where given, requests need it as "Authorization: Bearer …"; the page, health and readiness do not. At least 8 characters. */
  token?: string;
  /** Origins whose pages may ask, such as "https://example.org". Default none: the server's own page alone. */
  corsOrigins?: readonly string[];
  /** Requests under way at a time; more are answered 503 with Retry-After. 1 to 100000, default 256. */
  queue?: number;
  /** Pictures that go through a network together. 1 to 4096, default 64. */
  maxBatch?: number;
  /** How long the first picture of a batch waits for others while the network rests, milliseconds. 0 to 1000, default 0. */
  batchDelay?: number;
  /** The largest body of a request, MiB. 1 to 1024, default 10. All bodies under way together: 16 times as much. */
  bodyLimit?: number;
  /** The most pixels of a picture, millions. 0.01 to 100, default 25. */
  pixelLimit?: number;
  /** The most pictures of a request. 1 to 4096, default 64. */
  maxImages?: number;
  /** How long a request may take, seconds: to arrive, and to be answered. 1 to 3600, default 30. */
  timeout?: number;
  /** How long what is under way may take to end when the server closes, seconds. 0 to 3600, default 30. */
  grace?: number;
  /** Structured logs, one JSON line a request, to standard error. Default "silent". */
  logLevel?: (typeof LOG_LEVELS)[number];
}

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;

/** Each limit's range, ends included; whole numbers but for the pixels. */
export const LIMITS = {
  port: [0, 65535],
  queue: [1, 100_000],
  maxBatch: [1, 4096],
  batchDelay: [0, 1000],
  bodyLimit: [1, 1024],
  pixelLimit: [0.01, 100],
  maxImages: [1, 4096],
  timeout: [1, 3600],
  grace: [0, 3600],
} as const;

export const DEFAULTS = {
  host: '127.0.0.1',
  port: 8080,
  queue: 256,
  maxBatch: 64,
  batchDelay: 0,
  bodyLimit: 10,
  pixelLimit: 25,
  maxImages: 64,
  timeout: 30,
  grace: 30,
  logLevel: 'silent' as const,
};

/** All bodies under way together, as a multiple of the largest one. */
export const BODIES = 16;

export type Settings = Required<Omit<ServeOptions, 'token' | keyof DeviceOptions>> & Pick<ServeOptions, 'token'> & DeviceOptions;

/** @throws {FerError} ERR_FER_ARGUMENT */
export function settingsOf(options: ServeOptions): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: Settings = { models: PRETRAINED_NAMES, corsOrigins: [], ...DEFAULTS, ...given };
  for (const [name, [least, most]] of Object.entries(LIMITS)) {
    const value = settings[name as keyof typeof LIMITS];
    const whole = name !== 'pixelLimit';
    if (typeof value !== 'number' || !(value >= least && value <= most) || (whole && !Number.isInteger(value)))
      invalidArgument(name, `a ${whole ? 'whole ' : ''}number from ${least} to ${most}`, value);
  }
  if (!LOG_LEVELS.includes(settings.logLevel)) invalidArgument('logLevel', LOG_LEVELS.join(', '), settings.logLevel);
  if (settings.models.length === 0) invalidArgument('models', 'at least one model', 'none');
  const { token } = settings;
  if (token !== undefined && !/^[\w.~+/-]{8,}=*$/.test(token))
    invalidArgument('token', 'at least 8 letters, digits and signs of a bearer token (- . _ ~ + / and = at its end)', 'something else');
  for (const origin of settings.corsOrigins)
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      invalidArgument('corsOrigins', 'origins such as https://example.org', origin);
  return settings;
}
