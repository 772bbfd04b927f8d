import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticFaces } from '../../lib/data/synthetic.js';

const MAIN = path.resolve('dist/cli/main.js');
let folder: string;
let environment: NodeJS.ProcessEnv;
let picture: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-cli-'));
  environment = { ...process.env, XDG_CACHE_HOME: path.join(folder, 'cache'), NO_COLOR: '1' };
  picture = path.join(folder, 'face.png');
  await sharp(syntheticFaces().images.subarray(0, 2304), { raw: { width: 48, height: 48, channels: 1 } }).toFile(picture);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}
function run(args: string[], input?: Buffer): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: environment,
    encoding: 'utf8',
    input,
  });
  return { status, stdout, stderr };
}
const file = (name: string, content: string): string => {
  const full = path.join(folder, name);
  writeFileSync(full, content);
  return full;
};

describe('help', () => {
  it.each([
    [],
    ['train'],
    ['evaluate'],
    ['predict'],
    ['explain'],
    ['perturb'],
    ['serve'],
    ['experiment'],
    ['experiment', 'all'],
    ['data', 'compact'],
    ['data'],
    ['data', 'info'],
    ['convert'],
    ['export'],
    ['info'],
    ['doctor'],
    ['bench'],
  ])('teaches: %s %s', (...command) => {
    const { status, stdout } = run([...command, '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Usage: fer-cudnn/);
  });

  it('lists every command as the command itself says it is used', () => {
    const list = /Commands:\n([^]*?)\n\n/.exec(run(['--help']).stdout)![1];
    const terms = [...list.matchAll(/^ {2}(\w+) (\[options\].*?) {2}/gm)].map(([, name, rest]) => [name, rest.trim()]);
    expect(terms.length).toBe(13);
    for (const [name, rest] of terms) {
      const usage = run([name, '--help']).stdout.split('\n')[0].replace(' [command]', '');
      expect(usage).toBe(`Usage: fer-cudnn ${name} ${rest}`);
    }
  });
});

describe('train, resume, evaluate, predict', () => {
  const quick = ['--width', '4,8:8,16', '--input-size', '32', '--batch-size', '32', '--threads', '2'];

  it('trains on the drawn faces, prints the table and leaves a run that the other commands use', () => {
    const out = path.join(folder, 'run');
    const trained = run(['train', ...quick, '--epochs', '4', '--out', out]);
    expect(trained.stderr).toMatch(/epoch 4\/4/);
    expect(trained.status).toBe(0);
    expect(trained.stdout).toMatch(/accuracy \d+\.\d % \(95 % interval/);
    expect(existsSync(path.join(out, 'confusion-matrix.png'))).toBe(true);
    const model = path.join(out, 'model.safetensors');

    const evaluated = run(['evaluate', '--model', model, '--json']);
    expect(evaluated.status).toBe(0);
    const report = JSON.parse(evaluated.stdout) as { n: number; accuracy: number };
    expect(report.n).toBe(350);
    expect(trained.stdout).toContain(`accuracy ${(report.accuracy * 100).toFixed(1)} %`);

    expect(run(['info', model]).stdout).toContain('4,8:8,16');
    expect(run(['train', ...quick, '--out', out])).toMatchObject({ status: 1, stderr: expect.stringContaining('is not empty') as string });
  });

  it('stops on Ctrl-C, saves, and resumes to what an uninterrupted run gives', async () => {
    const whole = path.join(folder, 'whole');
    // Not as many threads as there are cores: the resumed run takes its own.
    const one = ['train', ...quick, '--threads', '1', '--epochs', '3', '--out'];
    expect(run([...one, whole]).status).toBe(0);
    const halved = path.join(folder, 'halved');
    const child = spawn(process.execPath, [MAIN, ...one, halved], { cwd: folder, env: environment });
    let stderr = '';
    let interrupted = false;
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      if (!interrupted && /epoch 1\/3 /.test(stderr)) interrupted = child.kill('SIGINT'); // a second one would end it at once
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(status).toBe(130);
    expect(stderr).toContain('--resume');
    expect(existsSync(path.join(halved, 'model.safetensors'))).toBe(false);
    const other = path.join(folder, 'other');
    cpSync(halved, other, { recursive: true });
    expect(run(['train', '--resume', halved])).toMatchObject({ status: 0, stderr: expect.stringMatching(/ 1 thread\n/) as string });
    expect(run(['train', '--resume', other, '--threads', '2']).stderr).toMatch(
      /note: computed on CPU, .* 1 thread; then on CPU, .* 2 threads: run on one of them throughout, it would differ in its last digits/,
    );
    const evaluation = (run: string): string => readFileSync(path.join(run, 'evaluation.json'), 'utf8');
    expect(evaluation(halved)).toBe(evaluation(whole));
  });

  it('goes on without a reader, to its end', () => {
    const out = path.join(folder, 'unread');
    const words = [process.execPath, MAIN, 'train', ...quick, '--epochs', '1', '--out', out].map((word) => `'${word}'`).join(' ');
    const { stdout } = spawnSync('bash', ['-c', `${words} 2>&1 | head -1; echo "status \${PIPESTATUS[0]}"`], {
      cwd: folder,
      env: environment,
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^no --data given.*\nstatus 0\n$/);
    expect(readdirSync(out)).toEqual(expect.arrayContaining(['model.safetensors', 'report.txt', 'confusion-matrix.png']));
  });

  it('goes on from the weights of a model, which bring the width, in a run of its own', () => {
    const first = path.join(folder, 'first');
    expect(run(['train', ...quick, '--epochs', '2', '--out', first]).status).toBe(0);
    const from = [
      'train',
      '--from',
      path.join(first, 'model.safetensors'),
      '--epochs',
      '1',
      '--learning-rate',
      '0',
      '--weight-decay',
      '0',
      '--ema-decay',
      '0',
    ];
    const second = path.join(folder, 'second');
    const tuned = run([...from, '--threads', '2', '--out', second]);
    expect(tuned.stderr).toContain('4,8:8,16 network at 32x32');
    expect(tuned.status).toBe(0);
    const rows = (run: string) =>
      readFileSync(path.join(run, 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { trainLoss: number });
    // With a learning rate of 0, its one epoch sees the first run's network: far better than a new one's first epoch.
    expect(rows(second)[0].trainLoss).toBeLessThan(0.8 * rows(first)[0].trainLoss);
    expect(run([...from, '--width', 'wide'])).toMatchObject({ status: 2, stderr: expect.stringContaining('leave out --width') as string });
    expect(run(['train', '--from', 'absent.safetensors'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('ERR_FER_DATA_NOT_FOUND') as string,
    });
  });

  describe('data of other classes', () => {
    let ck: string;
    let model: string;
    beforeAll(async () => {
      ck = path.join(folder, 'ck');
      model = path.join(folder, 'seven', 'model.safetensors');
      const { images, labels } = syntheticFaces();
      for (const [label, name] of [[0, 'anger'], [3, 'happiness'], [6, 'contempt']] as const) // prettier-ignore
        for (const [i, row] of [...labels.keys()]
          .filter((each) => labels[each] === label)
          .slice(0, 24)
          .entries()) {
          const place = path.join(ck, name, `S${100 + (i % 12)}_00${label}_${i}.png`);
          mkdirSync(path.dirname(place), { recursive: true });
          await sharp(images.subarray(row * 2304, (row + 1) * 2304), { raw: { width: 48, height: 48, channels: 1 } }).toFile(place);
        }
      run(['train', ...quick, '--epochs', '1', '--out', path.dirname(model)]);
    });
    const json = <T>(args: string[]): T => JSON.parse(run([...args, '--json']).stdout) as T;
    interface Report {
      n: number;
      overlap?: { shared: string[]; onlyData: string[]; onlyNetwork: string[]; images: number };
      perClass: { name: string; support: number }[];
    }

    it('gives the figures over the classes in common, and lists the others', () => {
      const args = ['evaluate', '--model', model, '--data', ck, '--split', 'Training'];
      const { overlap, n } = json<Report>(args);
      expect({ n, images: overlap?.images, shared: overlap?.shared, onlyData: overlap?.onlyData }).toEqual({
        n: 48,
        images: 72,
        shared: ['angry', 'happy'],
        onlyData: ['contempt'],
      });
      expect(run(args).stderr).toContain('over the 2 classes that data and model have in common: angry, happy; n = 48 of 72 images');
    });

    it('takes the names of a map', () => {
      const map = file('map.yaml', 'contempt: neutral\nhappiness: null\n');
      const { perClass, n, overlap } = json<Report>(['evaluate', '--model', model, '--data', ck, '--split', 'Training', '--classes', map]);
      expect(n).toBe(48);
      expect(overlap?.onlyData).toEqual([]);
      expect(perClass.map(({ name, support }) => [name, support])).toEqual([['angry', 24], ['neutral', 24]]); // prettier-ignore
      for (const [content, status, reason] of [
        ['angr: happy\n', 1, 'did you mean "anger"?'],
        ['anger: 3\n', 2, 'expected the name of a class or null, got 3'],
      ] as const)
        expect(run(['data', 'info', ck, '--classes', file('wrong.yaml', content)])).toMatchObject({
          status,
          stderr: expect.stringContaining(reason) as string,
        });
      // Nothing in common: the map that is advised helps.
      const none = ['evaluate', '--model', model, '--data', ck, '--split', 'Training', '--classes'];
      expect(run([...none, file('none.yaml', 'anger: a\nhappiness: b\n')]).stderr).toContain('say which are which with --classes');
      expect(run([...none, file('some.yaml', 'anger: sad\n')]).status).toBe(0);
    });

    it('trains a new head for them, and goes on as the data were read', () => {
      const tune = ['train', '--data', ck, '--split-by', 'subject', '--from', model, '--epochs', '1', '--threads', '1'];
      const out = path.join(folder, 'tuned');
      const refused = run([...tune, '--out', out]);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain('train a new head for them (--new-head');
      const tuned = run([...tune, '--new-head', '--out', out]);
      expect(tuned.stderr).toContain('divided by subject (seed 0): 12 subjects, each in one split');
      expect(tuned.status).toBe(0);
      expect(run(['info', path.join(out, 'model.safetensors')]).stdout).toContain('["anger","happiness","contempt"]');
      const { n, overlap } = json<Report>([
        'evaluate',
        '--model',
        path.join(out, 'model.safetensors'),
        '--data',
        ck,
        '--split-by',
        'subject',
      ]);
      expect([n, overlap]).toEqual([6, undefined]);
      expect(run(['train', '--resume', out]).stderr).toContain('divided by subject (seed 0)');
      expect(run(['train', '--resume', out, '--split-by', 'random'])).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('leave out --split-by') as string,
      });
    });
  });

  it.each(['json', 'ndjson', 'csv', 'table'])("predicts with the package's own model as %s", (format) => {
    const { status, stdout } = run(['predict', picture, '--format', format]);
    expect(status).toBe(0);
    expect(stdout).toContain('face.png');
    if (format === 'json') expect(JSON.stringify(JSON.parse(stdout))).toContain('surprise');
    if (format === 'csv') expect(stdout.trim().split('\n')).toHaveLength(2);
  });

  it('reads standard input, folders and patterns, and goes on after a bad picture', () => {
    const faces = path.join(folder, 'faces');
    mkdirSync(faces);
    writeFileSync(path.join(faces, 'a.png'), readFileSync(picture));
    writeFileSync(path.join(faces, 'b.png'), 'no picture');
    writeFileSync(path.join(faces, 'c.png'), readFileSync(picture));
    const all = run(['predict', faces, '--format', 'csv']);
    expect(all.status).toBe(1);
    expect(all.stderr).toMatch(/b\.png is not a readable image/);
    expect(all.stdout).toContain('a.png');
    expect(all.stdout).toContain('c.png');
    expect(run(['predict', path.join(faces, '[ac].png')]).status).toBe(0);
    expect(run(['predict', '-'], readFileSync(picture)).status).toBe(0);
  });

  it('says of a picture of one colour that it shows no face', async () => {
    const grey = path.join(folder, 'grey.png');
    await sharp({ create: { width: 60, height: 60, channels: 3, background: '#555' } }).toFile(grey);
    const { status, stdout, stderr } = run(['predict', grey, picture, '--format', 'json']);
    expect(status).toBe(0);
    expect(stderr).toBe(`note: ${grey}: all pixels are equal: the picture shows no face, and the answer means nothing\n`);
    const [flat, face] = JSON.parse(stdout) as { note?: string }[];
    expect(flat.note).toMatch(/shows no face/);
    expect(face).not.toHaveProperty('note');
  });

  it('names the picture that a box does not fit', () => {
    const { status, stdout, stderr } = run(['predict', picture, '--box', '40,40,20,20', '--format', 'ndjson']);
    expect(status).toBe(1);
    const message = `expected a box inside the 48x48 picture, got "40,40,20,20", for box in ${picture}`;
    expect(stderr).toContain(message);
    expect(JSON.parse(stdout)).toMatchObject({ image: picture, error: { code: 'ERR_FER_ARGUMENT', message } });
  });

  it('runs four threads a core at most, and says so', () => {
    const { status, stderr } = run(['predict', picture, '--threads', '1024']);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^note: 1024 threads were asked for, and this process has \d+ cores?: it runs \d+\n$/);
    expect(run(['predict', picture, '--threads', '2']).stderr).toBe('');
  });

  it('says of a cut HDF5 file what it is in one line', async () => {
    const h5wasm = await import('h5wasm/node');
    await h5wasm.ready;
    const whole = path.join(folder, 'whole.h5');
    const written = new h5wasm.File(whole, 'w');
    written.create_dataset({ name: 'x', data: new Float32Array(5000), shape: [5000] });
    written.close();
    const cut = path.join(folder, 'cut.h5');
    writeFileSync(cut, readFileSync(whole).subarray(0, 12_000));
    const { status, stderr } = run(['info', cut]);
    expect(status).toBe(1);
    expect(stderr).toBe(
      `fer-cudnn: ${cut} is not a readable HDF5 file: it is damaged or cut short; copy it again [ERR_FER_MODEL_FORMAT]\n`,
    );
  });

  it('explains a picture beside it, where told, and in numbers', async () => {
    const beside = run(['explain', picture]);
    expect(beside.stderr).toBe('');
    expect(beside.status).toBe(0);
    expect(beside.stdout).toMatch(/face\.png .*\ngrad-cam of \w+ at modules\.1: .*face\.grad-cam\.png\n$/);
    expect(await sharp(path.join(folder, 'face.grad-cam.png')).metadata()).toMatchObject({ format: 'png', width: 480, height: 480 });
    const told = [
      'explain',
      '-',
      '-o',
      'why.webp',
      '--method',
      'guided-grad-cam',
      '--class',
      'fear',
      '--layer',
      'modules.3',
      '--side',
      '96',
    ];
    expect(run([...told, '--box', '0,0,48,24'], readFileSync(picture)).status).toBe(0);
    expect(await sharp(path.join(folder, 'why.webp')).metadata()).toMatchObject({ format: 'webp', width: 96, height: 48 });
    const { map, ...rest } = JSON.parse(run(['explain', picture, '--format', 'json', '--class', '1']).stdout) as { map: number[] };
    expect(rest).toMatchObject({ class: 'disgust', size: 48, cam: { size: 11 }, prediction: { probabilities: {} } });
    expect(map).toHaveLength(2304);
  });

  it('prints a data set and draws it', () => {
    const { status, stdout } = run(['data', 'info', '--out', folder]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/angry +400 +50 +50/);
    expect(existsSync(path.join(folder, 'class-distribution.svg'))).toBe(true);
  });
});

describe('doctor, bench, bad rows', () => {
  it('doctor tries everything and finds this installation sound', () => {
    const { status, stdout } = run(['doctor']);
    expect(
      stdout
        .trim()
        .split('\n')
        .filter((line) => !/^\w+ +(CUDA part|NVIDIA driver|cuDNN|GPU)/.test(line)) // test/cuda has those
        .map((line) => line.slice(0, 22).trimEnd()),
    ).toEqual(['Node', 'native core', 'training', 'pictures', 'charts', 'default model'].map((name) => `ok      ${name}`));
    expect(stdout).toMatch(/training +three steps on CPU, .* loss \d\.\d{3}/);
    expect(status).toBe(0);
  });

  it('bench measures prediction and training', () => {
    const { status, stdout } = run(['bench', '--width', '4,4:8', '--seconds', '1', '--threads', '1', '--batch-size', '32', '--json']);
    expect(status).toBe(0);
    const report = JSON.parse(stdout) as { width: string; figures: { name: string; imagesPerSecond: number; repetitions: number }[] };
    expect(report.width).toBe('4,4:8');
    expect(report.figures.map((figure) => figure.name)).toEqual([
      'predict, batch 1',
      'predict, batch 64',
      'predict, batch 1024',
      'train, batch 32',
    ]);
    for (const figure of report.figures) {
      expect(figure.imagesPerSecond).toBeGreaterThan(1);
      expect(figure.repetitions).toBeGreaterThanOrEqual(3);
    }
  });

  it('leaves out bad rows on request, counted and listed', () => {
    const pixels = '7 '.repeat(64).trim();
    const csv = file(
      'rows.csv',
      `emotion,pixels,Usage\n0,${pixels},Training\n9,${pixels},Training\n3,7 7 7,PublicTest\n6,${pixels},PrivateTest\n`,
    );
    expect(run(['data', 'info', csv]).status).toBe(1);
    const { status, stdout, stderr } = run(['data', 'info', '--skip-bad-rows', csv]);
    expect(status).toBe(0);
    const said = stdout + stderr;
    expect(said).toContain('2 malformed rows were skipped');
    expect(said).toMatch(/line 3: expected an emotion of 0 to 6, got "9"/);
    expect(said).toMatch(/line 4: expected 64 pixels, got 3/);
  });
});

describe('FER_ISA', () => {
  const predictOn = (isa: string): Outcome => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'predict', picture], {
      env: { ...environment, FER_ISA: isa },
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };

  it('pins the instruction set, and refuses one that is not there', () => {
    expect(predictOn('x86-64-v2').status).toBe(0);
    const refused = predictOn('sve');
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(
      /expected an instruction set that this processor has \(.*x86-64-v2\), got sve, for FER_ISA \[ERR_FER_ARGUMENT\]/,
    );
  });
});

describe('bad input', () => {
  const cases: [name: string, args: () => string[], status: number, message: RegExp][] = [
    ['an unknown command', () => ['trian'], 2, /unknown command 'trian'.*train/],
    ['an unknown flag', () => ['train', '--epoch', '3'], 2, /unknown option '--epoch'.*--epochs/],
    ['a value out of range', () => ['train', '--epochs', '0'], 2, /expected a whole number from 1 to 100000, got 0, for --epochs/],
    ['no number', () => ['train', '--learning-rate', 'fast'], 2, /expected a number.*got "fast", for --learning-rate/],
    [
      'an unknown key',
      () => ['train', '--config', file('a.yaml', 'epochs: 1\nlearningrate: 1\n')],
      2,
      /unknown option "learningrate".*did you mean "learningRate"/,
    ],
    ['broken YAML', () => ['train', '--config', file('b.yaml', 'a: [')], 2, /b\.yaml/],
    [
      'a device that is not there',
      () => ['train', '--device', 'cuda:99'],
      1,
      /Nothing was run on another device instead.*ERR_FER_DEVICE_UNAVAILABLE/,
    ],
    ['a data set that is not there', () => ['train', '--data', 'absent.csv'], 1, /absent\.csv does not exist/],
    [
      'a bad row',
      () => ['data', 'info', file('bad.csv', 'emotion,pixels,Usage\n0,1 2 3,Training\n')],
      1,
      /bad\.csv, line 2: expected a square number of pixels/,
    ],
    ['a model that is not there', () => ['evaluate', '--model', 'absent.safetensors'], 1, /absent\.safetensors cannot be read/],
    [
      'a file that is no model',
      () => ['evaluate', '--model', file('no.safetensors', 'nothing at all')],
      1,
      /no\.safetensors is no model that this program can read: it is a text/,
    ],
    ['a split that is not there', () => ['evaluate', '--split', 'Third'], 2, /Third/],
    ['a folder without a run', () => ['train', '--resume', folder], 1, /cannot be resumed/],
    ['a picture that is not there', () => ['predict', 'absent.jpg'], 1, /absent\.jpg/],
    ['no name for the explanation', () => ['explain', '-'], 2, /say where it goes with -o/],
    ['an explanation over its face', () => ['explain', picture, '-o', picture], 2, /another file than the image itself/],
    ['a perturbation over its face', () => ['perturb', picture, '--rotate', '3', '-o', picture], 2, /another file than the picture itself/],
    ['a picture of an unknown kind', () => ['explain', picture, '-o', 'cam.txt'], 2, /expected a name ending in .png.* for --out/],
    ['a class that is not there', () => ['explain', picture, '--class', 'joy'], 2, /expected one of angry.* got "joy", for --class/],
    ['a layer that is not there', () => ['explain', picture, '--layer', 'head'], 1, /got "head", for layer/],
    ['a bad box', () => ['predict', picture, '--box', '1,2,3'], 2, /expected x,y,width,height.*got "1,2,3", for --box/],
    ['a box outside the picture', () => ['predict', picture, '--box', '40,40,20,20'], 1, /a box inside the 48x48 picture/],
  ];
  it.each(cases)('names %s', (_, args, status, message) => {
    const outcome = run(args());
    expect(outcome.stderr).toMatch(message);
    expect(outcome.stderr).toMatch(/\[ERR_FER_\w+\]/);
    expect(outcome.stderr).not.toMatch(/\n {4}at /);
    expect(outcome.status).toBe(status);
  });
});
