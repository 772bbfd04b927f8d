/** What a release is not allowed to lack: an addon for every target, under the name that node-gyp-build looks for, and the CUDA plug-in. */

import { PLUGIN, prebuilt, TARGETS } from '../targets.mjs';

/** Each required file: what it is, and the command that makes it. */
export const REQUIRED = [
  ...Object.keys(TARGETS).map((target) => ({
    what: `the addon for ${target}`,
    file: prebuilt(target),
    remedy: `node scripts/prebuild.mjs ${target}`,
  })),
  {
    what: 'the CUDA plug-in',
    file: PLUGIN,
    remedy: 'npm run build:cuda && node scripts/prebuild.mjs',
  },
];
