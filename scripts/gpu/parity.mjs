// Every operation and whole networks against PyTorch's values, forward and backward, in each precision: the native tests, on the device.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const FILTER = '*OpTest*:*NetworkTest*:*GradientTest*:*ExplainTest*:*CudaProductsTest*';

/** Where the native tests lie in a packed folder and in a clone. */
export const testBinary = (root) =>
  [path.join(root, 'bin', 'native_tests'), path.join(root, 'build', 'native-tests', 'native_tests')].find(existsSync);

/** The CUDA part likewise: it lies beside the addon, not beside the native tests, which must be told. */
const plugin = (root) =>
  [path.join(root, 'prebuilds', 'linux-x64', 'fer-cudnn-cuda.so'), path.join(root, 'build', 'Release', 'fer-cudnn-cuda.so')].find(
    existsSync,
  );

/** What the native tests need of their environment to run on `device`. */
export const testEnvironment = (root, device) => ({
  ...process.env,
  FER_CUDA_PLUGIN: process.env.FER_CUDA_PLUGIN ?? plugin(root) ?? '',
  FER_TEST_DEVICE: device,
  FER_TEST_FIXTURES: path.join(root, 'native', 'test', 'fixtures'),
});

export function parity({ root, device, filter = FILTER }) {
  const binary = testBinary(root);
  if (!binary) throw new Error('the native tests are not built; run: bash scripts/native-tests.sh build/native-tests');
  const output = path.join(mkdtempSync(path.join(tmpdir(), 'fer-parity-')), 'tests.json');
  const run = spawnSync(binary, [`--gtest_filter=${filter}`, `--gtest_output=json:${output}`], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: testEnvironment(root, device),
  });
  if (!existsSync(output)) throw new Error(`the native tests did not run: ${run.stderr || run.stdout || run.error?.message || run.signal}`);
  const suites = JSON.parse(readFileSync(output, 'utf8')).testsuites;
  const tests = suites.flatMap((suite) =>
    suite.testsuite.map((test) => ({
      name: `${suite.name}.${test.name}`,
      parameter: test.value_param,
      passed: !test.failures && test.status === 'RUN',
      skipped: test.result === 'SKIPPED',
      failures: test.failures?.map((f) => f.failure),
      ...properties(test),
    })),
  );
  // Of the operations, by precision: the largest difference from PyTorch, in units of 1 + the root mean square of the tensor.
  const worst = {};
  for (const test of tests) {
    const precision = /asked_(\w+?)[,_]/.exec(test.parameter ?? test.name)?.[1];
    if (precision && test.worst) worst[precision] = Math.max(worst[precision] ?? 0, Number(test.worst));
  }
  const failed = tests.filter((test) => !test.passed);
  for (const test of failed) console.log(`FAILED ${test.name} ${test.parameter ?? ''}\n${test.failures?.join('\n')}`);
  console.log(`${tests.length - failed.length} passed, ${failed.length} failed; worst differences ${JSON.stringify(worst)}`);
  return { passed: failed.length === 0 && tests.length > 0, count: tests.length, failed: failed.length, worst, tests };
}

/** What a test recorded with RecordProperty, such as its worst error. */
function properties(test) {
  const known = new Set(['name', 'file', 'line', 'value_param', 'status', 'result', 'timestamp', 'time', 'classname', 'failures']);
  return Object.fromEntries(Object.entries(test).filter(([key]) => !known.has(key)));
}
