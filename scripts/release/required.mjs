/**
 * What a release is not allowed to lack: an addon for every platform of the table, and the CUDA plug-in. The files' names are those
 * that node-gyp-build looks for, `<name>.<libc>.node` in a folder a platform.
 */

/** Where the package runs without a compiler; .github/workflows/release.yml tries the packed files on each. */
export const PLATFORMS = [
  { folder: 'linux-x64', libc: 'glibc' },
  { folder: 'linux-x64', libc: 'musl' },
  { folder: 'linux-arm64', libc: 'glibc' },
  { folder: 'linux-arm64', libc: 'musl' },
];

export const addonOf = ({ folder, libc }) => `prebuilds/${folder}/fer-cudnn.${libc}.node`;

/** Each required file: what it is, and the command that makes it. */
export const REQUIRED = [
  ...PLATFORMS.map((platform) => ({
    what: `the addon for ${platform.folder} with ${platform.libc}`,
    file: addonOf(platform),
    remedy: 'node scripts/prebuild.mjs --all',
  })),
  {
    what: 'the CUDA plug-in',
    file: 'prebuilds/linux-x64/fer-cudnn-cuda.so',
    remedy: 'npm run build:cuda && node scripts/prebuild.mjs --all',
  },
];
