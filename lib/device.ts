/** Where to compute, and in which arithmetic. The one file of lib/ that spells a device's name. */
import { invalidArgument } from './errors.js';
import { native } from './native.js';
import { warnOnce } from './warning.js';

/** The kinds of device, those of native/devices/registry.cc: the one that is always there first. Of GPUs there may be several, numbered. */
const KINDS = { cpu: { gpu: false }, cuda: { gpu: true } } as const;
type Kind = keyof typeof KINDS;
type Gpu = { [K in Kind]: (typeof KINDS)[K]['gpu'] extends true ? K : never }[Kind];

/** "cuda" is "cuda:0"; "auto" is a GPU where one can be used, or else the CPU, and `MiniXception.deviceChoice` says why. */
export type Device = 'auto' | Kind | `${Gpu}:${number}`;

export const PRECISIONS = ['fp32', 'tf32', 'bf16'] as const;
/**
 * "fp32": float32. "tf32" and "bf16": factors rounded to 10 and 7 bits of mantissa, sums in float32, on Ampere GPUs and newer.
 * "bf16" on the CPU, too: fast where it has AMX or AVX512-BF16, in software and slower than "fp32" elsewhere.
 */
export type Precision = (typeof PRECISIONS)[number];

/** Where to compute, and in which arithmetic. */
export interface DeviceOptions {
  /** Default: the environment variable FER_DEVICE, or else "cpu". Nothing falls back to another device unless "auto" is asked for. */
  device?: Device;
  /** CPU threads; 0, the default, means one a core that the process may use. More than four a core become four, with a warning. */
  threads?: number;
  /** What convolutions multiply in; weights and statistics stay float32. Default "fp32". */
  precision?: Precision;
}

/** The device that is always there. */
export const CPU: Device = 'cpu';

/** The device's name without its number, for places that give the number themselves. */
export const anyOfKind = (device: string): string => device.split(':')[0];

const ALL = Object.keys(KINDS) as Kind[];
const GPUS = ALL.filter((kind) => KINDS[kind].gpu);

/** Whether a name asks for a GPU: "cuda" and "cuda:0" do, "auto" leaves it open. */
export const isGpu = (device: string): boolean => GPUS.some((kind) => kind === anyOfKind(device));

/** "auto, cpu, cuda or cuda:<number>" */
const namesOf = (kinds: readonly string[]): string =>
  kinds.flatMap((kind) => (isGpu(kind) ? [kind, `${kind}:<number>`] : [kind])).join(', ').replace(/, ([^,]*)$/, ' or $1'); // prettier-ignore
export const GPU_NAMES = namesOf(GPUS);
export const DEVICE_NAMES = namesOf(['auto', ...ALL]);
// eslint-disable-next-line security/detect-non-literal-regexp -- of our own names
const DEVICE = new RegExp(`^(auto|${ALL.join('|')}|(${GPUS.join('|')}):(0|[1-9]\\d{0,2}))$`);
/** What stands where no device is given, for help. */
export const DEFAULT_DEVICE = `$FER_DEVICE, or ${CPU}`;

export const isDevice = (text: unknown): text is Device => typeof text === 'string' && DEVICE.test(text);

/**
 * All three options, checked.
 * @throws {FerError} ERR_FER_ARGUMENT
 */
export function resolveDevice(options: DeviceOptions): Required<DeviceOptions> {
  const { threads = 0, precision = 'fp32' } = options;
  const fromEnvironment = process.env.FER_DEVICE || undefined;
  const device = options.device ?? fromEnvironment ?? CPU;
  if (!isDevice(device)) invalidArgument(options.device === undefined ? 'FER_DEVICE' : 'device', DEVICE_NAMES, device);
  if (!PRECISIONS.includes(precision)) invalidArgument('precision', 'fp32, tf32 or bf16', precision);
  return { device, threads: sensibleThreads(threads), precision };
}

/**
 * A few threads too many are left as asked, because weights depend on their number in the last bits and a run begun elsewhere goes on
 * with its own; 64 on 2 cores were sevenfold slower.
 */
const MOST_A_CORE = 4;

/**
 * CPU threads to run where `threads` were asked for: 0, one a core, stays 0.
 * @throws {FerError} ERR_FER_ARGUMENT
 */
export function sensibleThreads(threads: number): number {
  if (!Number.isInteger(threads) || threads < 0 || threads > 1024) invalidArgument('threads', 'a whole number from 0 to 1024', threads);
  if (threads <= MOST_A_CORE) return threads;
  const { cores } = native().systemInfo();
  const most = MOST_A_CORE * cores;
  if (threads <= most) return threads;
  warnOnce(`${threads} threads were asked for, and this process has ${cores === 1 ? '1 core' : `${cores} cores`}: it runs ${most}`);
  return most;
}

// Where a training step in bf16 takes half of what it takes in fp32: measured with AMX, wide 2.3 to 3 times, narrow 1.1
// (docs/decisions/0004-bf16-on-the-cpu.md). Networks between the two were not.
const HALF_THE_TIME = { isa: 'amx-bf16', multiplyAdds: 100e6 };

/** What to tell who trains in fp32 on a processor where bf16 takes half the time, if so; nothing is chosen for them. */
export function bf16Hint(model: { device: string; precision: string; multiplyAdds: number }, isa: string): string | undefined {
  if (isGpu(model.device) || model.precision !== 'fp32') return undefined;
  if (isa !== HALF_THE_TIME.isa || model.multiplyAdds < HALF_THE_TIME.multiplyAdds) return undefined;
  return 'this processor has AMX: --precision bf16 would train this network in about half the time, to an accuracy that differs as from seed to seed (docs/training.md)';
}
