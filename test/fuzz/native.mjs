/** The targets of native/test/fuzz under libFuzzer, built with clang; each keeps what reached new code in build/fuzz/corpus. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Inputs in CI: a few seconds of each on two cores. */
const SHORT = 2000;
/** Longest inputs, bytes: what a target reads. */
const LONGEST = { csv: 1024, plan: 128, perturb: 512, trainer: 256 };
const MOST_SECONDS = 30; // of the clock, for one input

/** clang++ with libFuzzer's run time, from the system or fetched; undefined where there is none. */
function compiler(root) {
  const { status, stdout } = spawnSync('bash', [path.join(root, 'scripts', 'clang.sh')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return status === 0 ? stdout.trim() : undefined;
}

function build(root) {
  const folder = path.join(root, 'build', 'fuzz', 'native');
  const clang = compiler(root);
  if (!clang) throw new Error('clang with libFuzzer is needed for the native targets; scripts/clang.sh says how to get it');
  mkdirSync(path.dirname(folder), { recursive: true });
  const run = (args) => {
    const { status, stdout, stderr } = spawnSync('cmake', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
    writeFileSync(`${folder}.log`, `${stdout}${stderr}`);
    if (status !== 0) throw new Error(`the fuzz targets were not built; see ${folder}.log\n${stdout.split('\n').filter((line) => /error/.test(line)).slice(0, 10).join('\n')}${stderr}`); // prettier-ignore
  };
  const generator = spawnSync('ninja', ['--version']).status === 0 ? ['-G', 'Ninja'] : [];
  run([
    '-S',
    '.',
    '-B',
    folder,
    ...generator,
    '-DFER_ADDON=OFF',
    '-DFER_FUZZ=ON',
    '-DFER_SANITIZE=address,undefined',
    `-DCMAKE_CXX_COMPILER=${clang}`,
  ]);
  run(['--build', folder, '--parallel']);
}

function turn(root, name, { folder, failures, seconds, count, seed }) {
  const corpus = path.join(folder, 'corpus', name);
  mkdirSync(corpus, { recursive: true });
  const kept = path.join(root, 'native', 'test', 'fuzz', 'corpus');
  const dictionary = path.join(kept, `${name}.dict`);
  const args = [
    ...[
      `-max_len=${LONGEST[name] ?? 512}`,
      '-rss_limit_mb=2048',
      '-malloc_limit_mb=1024',
      `-timeout=${MOST_SECONDS}`,
      '-print_final_stats=1',
    ],
    ...[`-seed=${(seed % 0x7fffffff) + 1}`, `-artifact_prefix=${failures}/native-${name}-`],
    ...(Number.isFinite(seconds) ? [`-max_total_time=${Math.max(1, Math.floor(seconds))}`] : []),
    ...(count === undefined ? [] : [`-runs=${count}`]),
    ...(existsSync(dictionary) ? [`-dict=${dictionary}`] : []),
    ...[corpus, path.join(kept, name)],
  ];
  const before = new Set(readdirSync(failures));
  const started = performance.now();
  const { status, stderr } = spawnSync(path.join(folder, 'native', `fuzz_${name}`), args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  const found = readdirSync(failures).filter((file) => !before.has(file) && file.startsWith(`native-${name}-`));
  const number = (pattern) => Number(pattern.exec(stderr)?.[1] ?? 0);
  const hung = /libFuzzer: timeout/.test(stderr);
  return {
    inputs: number(/stat::number_of_executed_units: (\d+)/),
    seconds: (performance.now() - started) / 1000,
    crashes: status !== 0 && !hung ? 1 : 0,
    hangs: hung ? 1 : 0,
    failures: 0,
    coverage: Math.max(0, ...[...stderr.matchAll(/ cov: (\d+)/g)].map(([, edges]) => Number(edges))),
    kept: found.map((file) => path.join(failures, file)),
    said: status === 0 ? [] : [/(?:expected that|runtime error:|ERROR:).*/.exec(stderr)?.[0] ?? stderr.slice(-500)],
  };
}

/** In the order of the folder; called "<name>-native". The first's `build` builds them all. */
export function nativeTargets(root) {
  return readdirSync(path.join(root, 'native', 'test', 'fuzz'))
    .filter((file) => file.endsWith('.cc') && file !== 'replay.cc')
    .map((file) => path.basename(file, '.cc'))
    .map((name) => ({ name: `${name}-native`, short: SHORT, build: () => build(root), turn: (options) => turn(root, name, options) }));
}
