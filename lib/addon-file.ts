/** Opens the compiled addon; where that fails, says why and what helps. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
// @ts-expect-error: it comes without types
import nodeGypBuild from 'node-gyp-build';
import { FerError } from './errors.js';

// A bundle in CommonJS form has no URL.
const packageRoot = import.meta.url === undefined ? '' : fileURLToPath(new URL('..', import.meta.url));

/** "linux-x64 (glibc, musl), linux-arm64 (glibc)", of the binaries that are there; empty where none is. */
function prebuilt(): string {
  const folder = path.join(packageRoot, 'prebuilds');
  const systems = existsSync(folder) ? readdirSync(folder) : [];
  return systems
    .map((system) => {
      const binaries = readdirSync(path.join(folder, system)).flatMap((name) => /^fer-cudnn\.?(\w*)\.node$/.exec(name)?.[1] ?? []);
      return `${system} (${binaries.map((libc) => libc || 'any libc').join(', ')})`;
    })
    .join(', ');
}

interface Cause {
  /** Whether it is this one. `reason`: the first line of the loader's message. */
  applies(reason: string): boolean;
  /** What to do about it, with what is behind it where the loader's message does not say. */
  remedy(): string;
}

const glibc = (): string =>
  (process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined)?.header?.glibcVersionRuntime ?? 'none';
const inPackage = (...parts: string[]): string => path.join(packageRoot, ...parts);

/** The first that applies is told. */
const CAUSES: readonly Cause[] = [
  {
    applies: () => existsSync(inPackage('CMakeLists.txt')),
    remedy: () => 'This is a clone; build it with: npm run build',
  },
  {
    applies: () => packageRoot.split(path.sep).some((part) => part.endsWith('.asar')),
    remedy: () => 'An asar archive cannot hold it; tell the packer to leave it outside: asarUnpack: "**/node_modules/fer-cudnn/**"',
  },
  {
    applies: () => !existsSync(inPackage('dist', 'native.js')),
    remedy: () =>
      `A bundler has moved the code${import.meta.url === undefined ? '' : ` to ${fileURLToPath(import.meta.url)}`} and left the binary behind; keep fer-cudnn out of the bundle, such as with esbuild --external:fer-cudnn (others: docs/bundlers.md in the repository)`,
  },
  {
    applies: () => prebuilt() === '',
    remedy: () => 'The folder prebuilds, which the package comes with, is not there; install it again: npm install fer-cudnn',
  },
  {
    applies: (reason) => reason.includes('GLIBC_'),
    remedy: () =>
      `This system has glibc ${glibc()}, the binary needs a newer one; use a newer system or container image, such as node:20-bookworm`,
  },
  {
    applies: (reason) => reason.startsWith('No native build was found'),
    remedy: () => `Prebuilt are ${prebuilt()}; elsewhere build it in a clone of the repository: npm ci && npm run build`,
  },
];

/**
 * The addon from `prebuilds/` or `build/Release/`.
 * @throws {FerError} ERR_FER_NATIVE_LOAD
 */
export function openAddon(): unknown {
  try {
    // The folder as it stands here is what tools that trace the files of a deployment understand.
    return nodeGypBuild(fileURLToPath(new URL('..', import.meta.url)));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0].trim() : String(cause);
    const remedy = CAUSES.find(({ applies }) => applies(reason))?.remedy();
    throw new FerError(
      'ERR_FER_NATIVE_LOAD',
      `the compiled part of fer-cudnn could not be loaded on ${process.platform}-${process.arch}, Node ${process.versions.node}: ${reason}` +
        (remedy === undefined ? '' : `. ${remedy}`),
      { cause },
    );
  }
}
