/**
 * Every error the package throws on purpose, with a literal `code` to switch on.
 *
 * | code | thrown when |
 * |---|---|
 * | ERR_FER_ARGUMENT | an argument or option has the wrong type or range |
 * | ERR_FER_USAGE | the command line cannot be understood (exit status 2) |
 * | ERR_FER_CONFIG | a configuration file is malformed or has an unknown key (exit status 2) |
 * | ERR_FER_DATA_NOT_FOUND | a data set, image or model path does not exist or cannot be read |
 * | ERR_FER_DATA_FORMAT | a file is not in the format it should be; `details` has file, line and reason |
 * | ERR_FER_IMAGE_FORMAT | an image cannot be decoded |
 * | ERR_FER_MODEL_FORMAT | a weights file does not describe a network this package can build |
 * | ERR_FER_CHECKPOINT | a run folder or checkpoint cannot be resumed, or is in use |
 * | ERR_FER_WRITE | a file or folder cannot be written: a full or read-only disk, permissions; what was there before still is |
 * | ERR_FER_TRACKING | a tracking server cannot be reached, or refuses, before a training begins |
 * | ERR_FER_DEVICE_UNAVAILABLE | the asked-for device is missing; nothing falls back silently |
 * | ERR_FER_OUT_OF_MEMORY | memory ran out; the process and the model survive |
 * | ERR_FER_CUDA | an operation failed on the GPU; the message names it |
 * | ERR_FER_NATIVE_LOAD | the compiled addon could not be loaded |
 * | ERR_FER_NATIVE | an operation failed in the native core; the message names it and its shape |
 * | ERR_FER_DISPOSED | a model, trainer or data set was used after `dispose()` |
 * | ERR_FER_PACKAGE_MISSING | an optional package is not installed; the message has the command that installs it |
 * | ERR_FER_SERVER | the server cannot listen |
 * | ERR_FER_DIVERGED | the training loss became NaN or infinite; earlier epochs are kept |
 */
export type FerErrorCode =
  | 'ERR_FER_ARGUMENT'
  | 'ERR_FER_USAGE'
  | 'ERR_FER_CONFIG'
  | 'ERR_FER_DATA_NOT_FOUND'
  | 'ERR_FER_DATA_FORMAT'
  | 'ERR_FER_IMAGE_FORMAT'
  | 'ERR_FER_MODEL_FORMAT'
  | 'ERR_FER_CHECKPOINT'
  | 'ERR_FER_WRITE'
  | 'ERR_FER_TRACKING'
  | 'ERR_FER_DEVICE_UNAVAILABLE'
  | 'ERR_FER_OUT_OF_MEMORY'
  | 'ERR_FER_CUDA'
  | 'ERR_FER_NATIVE_LOAD'
  | 'ERR_FER_NATIVE'
  | 'ERR_FER_DISPOSED'
  | 'ERR_FER_PACKAGE_MISSING'
  | 'ERR_FER_SERVER'
  | 'ERR_FER_DIVERGED';

/** What the package throws on purpose: an `Error` with a literal `code` to switch on. */
export class FerError extends Error {
  /** Always "FerError". */
  override readonly name = 'FerError';
  /** One of the literal codes. */
  readonly code: FerErrorCode;
  /** Facts a program can act on, such as `{ file, line, reason }`. */
  readonly details: Readonly<Record<string, unknown>>;

  /** `details`: facts a program can act on. Default none. */
  constructor(code: FerErrorCode, message: string, options: { cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Throws the package's one kind of argument error: "expected …, got …, for …". */
export function invalidArgument(name: string, expected: string, got: unknown): never {
  const shown = typeof got === 'string' ? JSON.stringify(got) : typeof got === 'object' && got !== null ? kindOf(got) : String(got);
  throw new FerError('ERR_FER_ARGUMENT', `expected ${expected}, got ${shown}, for ${name}`);
}

/** What made an object; its own key of that name may be anything. */
function kindOf(value: object): string {
  const { name } = (Object.getPrototypeOf(value) as object | null)?.constructor ?? Object;
  return name;
}
