// The systems that binaries are made for, as prebuildify names them: platform, processor, C library. cmake/zig.cmake has what zig
// calls each, scripts/run-as.sh how each runs here. `compiler`, `ran` and `tests` are what docs/binaries.md says of them.
export const TARGETS = {
  'linux-x64-glibc': { compiler: 'GCC 12', ran: 'natively, Node 20 to 26', tests: 'all 662' },
  'linux-x64-musl': { compiler: 'zig 0.17', ran: 'natively by musl 1.2.5, Node 24', tests: 'not run' },
  'linux-arm64-glibc': {
    compiler: 'zig 0.17',
    ran: 'qemu-user 10, glibc 2.41, Node 24',
    tests: '179 passed, 1 skipped, of 402: all ops, products, plans, threads',
  },
  'linux-arm64-musl': { compiler: 'zig 0.17', ran: 'qemu-user 10, musl 1.2.5, Node 24', tests: 'not run' },
};

/** The CUDA backend, beside the addon that opens it. */
export const PLUGIN = 'prebuilds/linux-x64/fer-cudnn-cuda.so';

/** What these binaries may ask of glibc at most. */
export const OLDEST_GLIBC = '2.28';

process.report.excludeNetwork = true; // its look-ups take seconds in a container

/** This machine's, which `npm run build` builds for; undefined where there is none. */
export const HOST = Object.keys(TARGETS).find((name) => {
  const libc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
  return name === `${process.platform}-${process.arch}-${libc}`;
});

/** Where prebuildify puts its binary. */
export function prebuilt(name) {
  const [platform, arch, libc] = name.split('-');
  return `prebuilds/${platform}-${arch}/fer-cudnn.${libc}.node`;
}
