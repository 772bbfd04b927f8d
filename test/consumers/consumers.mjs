/**
 * Who uses the package: package managers, bundlers, test runners, module systems. Each has a folder of its name with the files that a user
 * would write; `program.mjs` lies beside them. What each does:
 *   packages   installed beside fer-cudnn
 *   tools      package managers, installed elsewhere and put on the PATH
 *   install    how fer-cudnn is installed; npm without it
 *   run        commands, the last of which prints the answer
 *   needs      the lines that a user must write for fer-cudnn
 *   quick      under a minute together with the other quick ones: continuous integration runs them
 */
export const CONSUMERS = {
  'npm-esm': { what: 'npm, ES modules', run: ['node main.mjs'], quick: true },
  'npm-commonjs': { what: 'npm, CommonJS', run: ['node main.cjs'], quick: true },
  pnpm: { what: 'pnpm', tools: { pnpm: '10.34.9' }, install: 'pnpm add --ignore-scripts {tarball}', run: ['node main.mjs'] },
  yarn: {
    what: 'Yarn, node_modules',
    tools: { '@yarnpkg/cli-dist': '4.18.1' },
    install: 'yarn add fer-cudnn@file:{tarball}',
    run: ['yarn node main.mjs'],
  },
  'yarn-pnp': {
    what: "Yarn, Plug'n'Play",
    tools: { '@yarnpkg/cli-dist': '4.18.1' },
    install: 'yarn add fer-cudnn@file:{tarball}',
    run: ['yarn node main.mjs'],
  },
  bun: {
    what: 'Bun: package manager and run time',
    tools: { bun: '1.3.9' },
    install: 'bun add --ignore-scripts {tarball}',
    run: ['bun main.mjs'],
  },
  tsx: { what: 'tsx', packages: { tsx: '4.23.15' }, run: ['tsx main.mts'], quick: true },
  esbuild: {
    what: 'esbuild',
    packages: { esbuild: '0.28.2' },
    run: ['esbuild main.mjs --bundle --platform=node --format=esm --external:fer-cudnn --outfile=out/main.mjs', 'node out/main.mjs'],
    needs: '`--external:fer-cudnn`',
    quick: true,
  },
  'vite-ssr': {
    what: 'Vite, server build',
    packages: { vite: '8.3.8' },
    run: ['vite build --ssr main.mjs --outDir out', 'node out/main.mjs'],
  },
  next: {
    what: 'Next.js, standalone output',
    packages: { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' },
    // The example's route beside this consumer's own.
    example: 'next-route',
    run: ['next build', 'node ask.mjs'],
    needs:
      "`serverExternalPackages: ['fer-cudnn']`; for a standalone output also `outputFileTracingIncludes: { '/*': ['./node_modules/fer-cudnn/{prebuilds,models}/**'] }`",
  },
  jest: {
    what: 'Jest',
    packages: { jest: '30.5.2' },
    env: { NODE_OPTIONS: '--experimental-vm-modules' },
    run: ['jest --silent=false'],
    needs: '`NODE_OPTIONS=--experimental-vm-modules`, and tests that are ES modules (`testMatch: ["**/*.test.mjs"]`)',
  },
  vitest: { what: 'Vitest', packages: { vitest: '4.1.0' }, run: ['vitest run --disable-console-intercept'] },
  tracing: {
    what: "file tracing, as serverless packers do it (Vercel's nft)",
    packages: { '@vercel/nft': '1.11.0' },
    run: ['node trace.mjs', 'node out/main.mjs'],
  },
};
