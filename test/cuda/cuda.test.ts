/**
 * The way to the GPU without a GPU: devices, the plug-in, doctor, and what each missing part is called. The driver and cuDNN
 * are fakes; the plug-in is the CUDA backend itself, compiled for the host (scripts/native-tests.sh builds it).
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MiniXception } from '../../lib/model.js';
import { native } from '../../lib/native.js';
import { fakeCudnn, fakeDriver } from './fakes.js';

const MAIN = path.resolve('dist/cli/main.js');
const HOST_PLUGIN = path.resolve('build/native-tests/cuda-on-host.so');
let folder: string;
let oneGpu: string;
let picture: string;

beforeAll(() => {
  if (!existsSync(HOST_PLUGIN)) throw new Error(`${HOST_PLUGIN} is missing; run: bash scripts/native-tests.sh build/native-tests`);
  folder = mkdtempSync(path.join(tmpdir(), 'fer-cuda-'));
  picture = path.join(folder, 'face.svg');
  writeFileSync(
    picture,
    '<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48"><circle cx="24" cy="24" r="20" fill="#fff"/></svg>',
  );
  oneGpu = fakeDriver(path.join(folder, 'one-gpu'), { VERSION: 12040, GPUS: 1 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}
/** The command line in an environment with nothing of CUDA but what `environment` brings. */
function run(args: string[], environment: NodeJS.ProcessEnv = {}): Outcome {
  const { PATH } = process.env;
  const bare = { PATH, HOME: folder, FER_CUDA_PLUGIN: HOST_PLUGIN };
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: { ...bare, ...environment },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
const line = (output: string, name: string): string => output.split('\n').find((text) => text.slice(8).startsWith(name)) ?? '';
const predict = (device: string, environment: NodeJS.ProcessEnv): Outcome => run(['predict', picture, '--device', device], environment);

const part = (name: string) =>
  native()
    .probeDevices()
    .flatMap(({ parts }) => parts)
    .find((one) => one.name === name);
const machineHasDriver = part('NVIDIA driver')?.version !== '';

describe('--device cuda says what is missing', () => {
  const cases: [name: string, facts: Record<string, number>, device: string, message: string][] = [
    [
      'a driver that is too old',
      { VERSION: 11040, GPUS: 1 },
      'cuda',
      'the NVIDIA driver is too old: it runs CUDA up to 11.4, and CUDA 12.0 is needed. Install NVIDIA driver 525.60.13',
    ],
    ['no GPU', { VERSION: 12040, GPUS: 0 }, 'cuda', 'the NVIDIA driver finds no GPU (see what nvidia-smi says)'],
    [
      'a driver that does not start',
      { VERSION: 12040, GPUS: 1, INIT: 999 },
      'cuda',
      'the NVIDIA driver does not start: CUDA_ERROR_UNKNOWN (999)',
    ],
    ['a number too high', { VERSION: 12040, GPUS: 2 }, 'cuda:2', 'there is no GPU cuda:2; this machine has cuda:0 to cuda:1'],
    [
      'a GPU too old',
      { VERSION: 12040, GPUS: 1, MAJOR: 6, MINOR: 1 },
      'cuda',
      'cuda:0, Fake GPU 0, has compute capability 6.1, and 7.5 or higher is needed',
    ],
  ];
  it.each(cases)('%s', (name, facts, device, message) => {
    const driver = fakeDriver(path.join(folder, name.replaceAll(' ', '-')), facts);
    const { status, stderr } = predict(device, { LD_LIBRARY_PATH: driver });
    expect(stderr).toContain(message);
    expect(stderr).toContain('Nothing was run on another device instead');
    expect(stderr).toMatch(/\[ERR_FER_DEVICE_UNAVAILABLE\]\n$/);
    expect(status).toBe(1);
  });

  it.skipIf(machineHasDriver)('no driver', () => {
    const { status, stderr } = predict('cuda', {});
    expect(stderr).toContain('no NVIDIA driver is installed: libcuda.so.1 was not found. Install NVIDIA driver 525.60.13 or later');
    expect(status).toBe(1);
  });

  it('no plug-in, one of another program, and what is no library', () => {
    const absent = path.join(folder, 'absent.so');
    const text = path.join(folder, 'text.so');
    writeFileSync(text, 'no library');
    const plugin = (file: string): string => predict('cuda', { LD_LIBRARY_PATH: oneGpu, FER_CUDA_PLUGIN: file }).stderr;
    expect(plugin(absent)).toContain(`this build of fer-cudnn has no CUDA part: ${absent} is not there`);
    expect(plugin(text)).toContain('the CUDA part of fer-cudnn cannot be opened');
    expect(plugin(path.join(oneGpu, 'libcuda.so.1'))).toMatch(/belongs to another program, and this is fer-cudnn \d/);
  });

  it('a device name that is none', () => {
    const { status, stderr } = predict('gpu', {});
    expect(stderr).toContain('expected auto, cpu, cuda or cuda:<number>, got "gpu", for --device [ERR_FER_USAGE]');
    expect(status).toBe(2);
    expect(run(['predict', picture], { FER_DEVICE: 'gpu' }).stderr).toContain('got "gpu", for FER_DEVICE [ERR_FER_ARGUMENT]');
  });
});

describe('the plug-in', () => {
  beforeAll(() => {
    const pixels = (row: number): string => Array.from({ length: 256 }, (_, i) => (i * (row + 3)) % 251).join(' ');
    const usage = (row: number): string => (row < 40 ? 'Training' : row < 50 ? 'PublicTest' : 'PrivateTest');
    const rows = Array.from({ length: 60 }, (_, row) => `${row % 7},${pixels(row)},${usage(row)}`);
    writeFileSync(path.join(folder, 'few.csv'), `emotion,pixels,Usage\n${rows.join('\n')}\n`);
  });

  it('throws errors that arrive typed, process and other models alive', () => {
    // The driver counts two GPUs, the run time in the plug-in one: so it is the plug-in that refuses.
    const two = fakeDriver(path.join(folder, 'two'), { VERSION: 12040, GPUS: 2 });
    const script = `
      import { FerError, MiniXception } from ${JSON.stringify(path.resolve('dist/index.js'))};
      using first = MiniXception.create({ device: 'cuda', width: { stem: [4, 4], modules: [8] }, inputSize: 16 });
      let caught;
      try { MiniXception.create({ device: 'cuda:1' }); } catch (error) { caught = error; }
      const { label } = await first.predict({ pixels: new Uint8Array(256), width: 16, height: 16 });
      console.log(JSON.stringify([first.device, caught instanceof FerError, caught.code, caught.message, label.length > 0]));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script.replace('using first', 'const first')], {
      env: { PATH: process.env.PATH, FER_CUDA_PLUGIN: HOST_PLUGIN, LD_LIBRARY_PATH: two },
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([
      'cuda:0',
      true,
      'ERR_FER_DEVICE_UNAVAILABLE',
      'there is no device cuda:1; this machine has cuda:0',
      true,
    ]);
  });

  it('trains a grid point in its own precision', () => {
    writeFileSync(path.join(folder, 'grid.yaml'), 'points: { half: { width: "4,4:8", batchSize: 20, epochs: 1, precision: bf16 } }');
    const flags = ['--data', 'few.csv', '--grid', 'grid.yaml', '--input-size', '16', '--devices', 'cuda', '--cell', '0', '--out', 'half'];
    const { stderr, status } = run(['experiment', 'hyperparameters', ...flags], { LD_LIBRARY_PATH: oneGpu });
    expect(stderr).toContain('half-0');
    expect(status).toBe(0);
    const config = readdirSync(path.join(folder, 'half'), { recursive: true, encoding: 'utf8' }).find((file) =>
      file.endsWith('run/config.json'),
    );
    expect(JSON.parse(readFileSync(path.join(folder, 'half', config!), 'utf8'))).toMatchObject({ precision: 'bf16' });
  });

  it('trains cells side by side on one GPU, each as alone', () => {
    const weights = (out: string, ...devices: string[]): string[] => {
      const flags = [
        '--data',
        'few.csv',
        '--widths',
        '4,4:8',
        '--presets',
        'paper',
        '--seeds',
        '0',
        '1',
        '2',
        '--epochs',
        '2',
        '--input-size',
        '16',
      ];
      const { stderr, status } = run(['experiment', 'width', ...flags, '--devices', ...devices, '--out', out], { LD_LIBRARY_PATH: oneGpu });
      expect(stderr).not.toContain('error');
      expect(status).toBe(0);
      const files = readdirSync(path.join(folder, out), { recursive: true, encoding: 'utf8' }).filter((file) =>
        file.endsWith('model.safetensors'),
      );
      return files.sort().map((file) => readFileSync(path.join(folder, out, file), 'base64'));
    };
    const together = weights('together', 'cuda', 'cuda', 'cuda');
    expect(new Set(together).size).toBe(3);
    expect(together).toEqual(weights('alone', 'cuda'));
  });

  it('belongs to this very version', () => {
    const other = path.join(folder, 'other.so');
    spawnSync('cc', ['-shared', '-fPIC', '-xc', '-', '-o', other], {
      input: 'static const char* table[] = {"9.9.9"}; const void* fer_cuda_plugin(void) { return table; }',
    });
    expect(predict('cuda', { LD_LIBRARY_PATH: oneGpu, FER_CUDA_PLUGIN: other }).stderr).toMatch(
      /other\.so belongs to fer-cudnn 9\.9\.9, and this is fer-cudnn \d/,
    );
  });

  it('is found beside the addon', () => {
    const beside = path.join(folder, 'beside');
    mkdirSync(beside);
    copyFileSync(path.resolve('build/Release/fer-cudnn.node'), path.join(beside, 'fer-cudnn.node'));
    copyFileSync(HOST_PLUGIN, path.join(beside, 'fer-cudnn-cuda.so'));
    const script = `console.log(require(${JSON.stringify(path.join(beside, 'fer-cudnn.node'))}).probeDevices().find((d) => d.gpu).parts[0].version)`;
    expect(spawnSync(process.execPath, ['-e', script], { env: { PATH: process.env.PATH }, encoding: 'utf8' }).stdout).toBe(
      'CUDA on the host\n',
    );
  });
});

describe('auto', () => {
  it('takes the GPU where there is one, and says so', () => {
    const { stdout, stderr } = predict('auto', { LD_LIBRARY_PATH: oneGpu });
    expect(stderr.split('\n')[0]).toBe('device auto: chose cuda:0');
    expect(stdout).toBe(predict('cpu', {}).stdout);
  });

  it('takes the CPU where there is none, and says why', () => {
    const none = fakeDriver(path.join(folder, 'none'), { VERSION: 12040, GPUS: 0 });
    const { status, stderr } = predict('auto', { LD_LIBRARY_PATH: none });
    expect(stderr.split('\n')[0]).toBe('device auto: chose cpu, because the NVIDIA driver finds no GPU (see what nvidia-smi says)');
    expect(status).toBe(0);
  });

  it('does not bend what was asked for: tf32 on the CPU stays an error', () => {
    expect(() => MiniXception.create({ device: 'cpu', precision: 'tf32' })).toThrow('expected precision fp32 or bf16 on the CPU');
  });
});

describe('doctor', () => {
  const doctor = (environment: NodeJS.ProcessEnv, ...args: string[]): Outcome => run(['doctor', ...args], environment);

  it('trains three steps on the GPU, the first direct, the others as a graph, and reports it and cuDNN', () => {
    const cudnn = fakeCudnn(path.join(folder, 'cudnn', 'nvidia/cudnn/lib'));
    const { status, stdout } = doctor({ LD_LIBRARY_PATH: oneGpu, CUDNN_PATH: cudnn });
    expect(line(stdout, 'NVIDIA driver')).toBe('ok      NVIDIA driver  runs CUDA up to 12.4');
    expect(line(stdout, 'cuda:0')).toBe('ok      cuda:0         Fake GPU 0, compute capability 8.6, 8.0 GiB');
    expect(line(stdout, 'cuDNN')).toBe(`ok      cuDNN          9.10.2 at ${cudnn}/libcudnn.so.9`);
    const loss = (name: string): string | undefined => /loss (.*)$/.exec(line(stdout, name))?.[1];
    expect(line(stdout, 'GPU training')).toMatch(/^ok .* three steps on cuda:0/);
    expect(line(stdout, 'by cuDNN')).toMatch(/^ok .* three steps on cuda:0, .*, by cuDNN alone, loss /);
    expect(loss('GPU training')).toBe(loss('training'));
    expect(status).toBe(0);
  });

  it('survives a cuDNN without one of its parts, which would abort the process', () => {
    const cudnn = fakeCudnn(path.join(folder, 'incomplete', 'nvidia/cudnn/lib'), { missing: 'engines_precompiled' });
    const { status, stdout } = doctor({ LD_LIBRARY_PATH: `${oneGpu}:${cudnn}` });
    expect(line(stdout, 'cuDNN')).toBe(
      `absent  cuDNN          cuDNN at ${cudnn}/libcudnn.so.9 is incomplete: it lacks libcudnn_engines_precompiled.so.9, without which cuDNN would abort the process. ` +
        'Reinstall it with: python3 -m pip install --force-reinstall nvidia-cudnn-cu12. Without it "cuda" works on the package\'s own kernels alone',
    );
    expect(line(stdout, 'GPU training')).toMatch(/^ok /);
    expect(status).toBe(0);
  });

  it('passes over an incomplete cuDNN and one for another CUDA to one that works', () => {
    const incomplete = fakeCudnn(path.join(folder, 'first', 'nvidia/cudnn/lib'), { missing: 'ops' });
    const environment = path.join(folder, 'venv');
    const good = fakeCudnn(path.join(environment, 'lib/python3.12/site-packages/nvidia/cudnn/lib'));
    const { stdout } = doctor({ LD_LIBRARY_PATH: incomplete, VIRTUAL_ENV: environment });
    expect(line(stdout, 'cuDNN')).toBe(`ok      cuDNN          9.10.2 at ${good}/libcudnn.so.9`);
    const other = fakeCudnn(path.join(folder, 'cuda13', 'nvidia/cudnn/lib'), { cuda: 13000 });
    expect(line(doctor({ LD_LIBRARY_PATH: other }).stdout, 'cuDNN')).toContain(
      `cuDNN 9.10.2 at ${other}/libcudnn.so.9 is built for CUDA 13; one for CUDA 12 is needed`,
    );
  });

  it('finds cuDNN in conda', () => {
    const conda = path.join(folder, 'conda');
    fakeCudnn(path.join(conda, 'lib'), { siblings: [] });
    fakeCudnn(path.join(folder, 'siblings', 'nvidia/cudnn/lib'));
    const siblings = ['cublas', 'cuda_nvrtc'].map((name) => path.join(folder, 'siblings', 'nvidia', name, 'lib')).join(':');
    expect(line(doctor({ CONDA_PREFIX: conda, LD_LIBRARY_PATH: siblings }).stdout, 'cuDNN')).toBe(
      `ok      cuDNN          9.10.2 at ${conda}/lib/libcudnn.so.9`,
    );
  });

  it('names what cuDNN opens when it runs, and the command that installs it', () => {
    const place = (name: string): string => path.join(folder, name, 'nvidia/cudnn/lib');
    const alone = fakeCudnn(place('alone'), { siblings: [] });
    expect(line(doctor({ CUDNN_PATH: alone }).stdout, 'cuDNN')).toBe(
      `absent  cuDNN          cuDNN at ${alone}/libcudnn.so.9 cannot multiply: libcublasLt.so.12 was not found, which its convolutions open when they run. ` +
        'Install it with: python3 -m pip install nvidia-cublas-cu12. Without it "cuda" works on the package\'s own kernels alone',
    );
    const less = fakeCudnn(place('less'), { siblings: ['cublas'] });
    expect(line(doctor({ CUDNN_PATH: less }).stdout, 'cuDNN')).toBe(
      `ok      cuDNN          9.10.2 at ${less}/libcudnn.so.9; libnvrtc.so.12 was not found, so its engines that are compiled at run time are left out. ` +
        'Install it with: python3 -m pip install nvidia-cuda-nvrtc-cu12',
    );
  });

  it('asks a newer cuDNN for the parts that older ones have not', () => {
    const newest = { version: 92400, newer: ['engines_tensor_ir', 'ext'] };
    const whole = fakeCudnn(path.join(folder, 'whole', 'nvidia/cudnn/lib'), newest);
    expect(line(doctor({ CUDNN_PATH: whole }).stdout, 'cuDNN')).toBe(`ok      cuDNN          9.24.0 at ${whole}/libcudnn.so.9`);
    const mixed = fakeCudnn(path.join(folder, 'mixed', 'nvidia/cudnn/lib'), { ...newest, newer: ['engines_tensor_ir'] });
    expect(line(doctor({ CUDNN_PATH: mixed }).stdout, 'cuDNN')).toContain('is incomplete: it lacks libcudnn_ext.so.9,');
  });

  it('loses a line, not itself, to a driver that crashes', () => {
    const crash = fakeDriver(path.join(folder, 'crash'), { VERSION: 12040, GPUS: 1, CRASH: 1 });
    const { status, stdout } = doctor({ LD_LIBRARY_PATH: crash });
    expect(line(stdout, 'GPU')).toBe('FAILED  GPU            the process that tried it was ended by SIGABRT');
    expect(status).toBe(1);
  });

  it.skipIf(machineHasDriver)('without a GPU is content, unless one is asked for', () => {
    const content = doctor({});
    expect(line(content.stdout, 'NVIDIA driver')).toMatch(/^absent {2}NVIDIA driver {2}no NVIDIA driver is installed/);
    expect(line(content.stdout, 'cuDNN')).toContain(
      'cuDNN 9 was not found (libcudnn.so.9). Install it with: python3 -m pip install nvidia-cudnn-cu12',
    );
    expect(content.status).toBe(0);
    const asked = doctor({}, '--device', 'cuda');
    expect(line(asked.stdout, 'NVIDIA driver')).toMatch(/^FAILED /);
    expect(asked.status).toBe(1);
  });
});
