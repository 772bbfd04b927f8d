/** What a release is not allowed to lack: an addon for every target, under the name that node-gyp-build looks for, and the CUDA plug-in. */

/** Where the package runs without a compiler; .github/workflows/release.yml tries the packed files on each. */
export const TARGETS = ['linux-x64-glibc', 'linux-x64-musl', 'linux-arm64-glibc', 'linux-arm64-musl'];

export function prebuilt(target) {
  const [platform, arch, libc] = target.split('-');
  return `prebuilds/${platform}-${arch}/fer-cudnn.${libc}.node`;
}

/** Each required file: what it is, and the command that makes it. */
export const REQUIRED = [
  ...TARGETS.map((target) => ({ what: `the addon for ${target}`, file: prebuilt(target), remedy: `node scripts/prebuild.mjs ${target}` })),
  {
    what: 'the CUDA plug-in',
    file: 'prebuilds/linux-x64/fer-cudnn-cuda.so',
    remedy: 'npm run build:cuda && node scripts/prebuild.mjs',
  },
];
