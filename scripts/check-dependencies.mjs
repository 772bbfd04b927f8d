#!/usr/bin/env node
// Every run-time dependency and optional package has its reason in docs/dependencies.md; a dependency has an exact version, and no script
// that runs when it is installed.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8'));
const rows = readFileSync(`${root}docs/dependencies.md`, 'utf8').match(/^\| `.*?\|/gm) ?? [];
const explained = rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
const installed = Object.entries(packages).filter(([place, { dev, devOptional }]) => place && !dev && !devOptional);

const direct = Object.keys(dependencies);
const optionalPeers = Object.keys(peerDependencies ?? {});
const known = [...direct, ...optionalPeers];
const wrong = [
  ...known.filter((name) => !explained.includes(name)).map((name) => `${name} has no reason in docs/dependencies.md`),
  ...explained.filter((name) => !known.includes(name)).map((name) => `docs/dependencies.md explains ${name}, which is no dependency`),
  ...optionalPeers.filter((name) => !peerDependenciesMeta?.[name]?.optional).map((name) => `${name} is a peer that is not optional`),
  ...direct.filter((name) => !/^\d/.test(dependencies[name])).map((name) => `${name} is not pinned: ${dependencies[name]}`),
  ...installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([place]) => `${place} runs a script when it is installed`),
];
if (wrong.length) {
  console.error(`check-dependencies: ${wrong.join('\n')}`);
  process.exit(1);
}
const optional = installed.filter(([, entry]) => entry.optional).length;
console.log(
  `check-dependencies: ${direct.length} direct, ${installed.length - direct.length - optional} more that they need, ` +
    `${optional} binaries of which a system installs its own; no install scripts`,
);
