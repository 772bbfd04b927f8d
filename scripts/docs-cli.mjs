#!/usr/bin/env node
// Writes docs/cli.md: the printed --help of every command, found by reading the lists of commands. `--check` compares instead.
// Needs: npm run build.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = `${root}docs/cli.md`;

function help(command) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${root}dist/cli/main.js`, ...command, '--help'], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, COLUMNS: undefined },
  });
  if (status !== 0) throw new Error(`fer-cudnn ${command.join(' ')} --help ended with ${status}: ${stderr}`);
  return stdout.trimEnd();
}

function sections(command) {
  const text = help(command);
  const list = /^Commands:\n((?: {2}.*\n?)+)/m.exec(text)?.[1] ?? '';
  const names = [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name).filter((name) => name !== 'help');
  return [
    `## ${['fer-cudnn', ...command].join(' ')}\n\n\`\`\`text\n${text}\n\`\`\`\n`,
    ...names.flatMap((name) => sections([...command, name])),
  ];
}

const expected = `# Command line\n\nWhat \`fer-cudnn <command> --help\` prints.\n\n${sections([]).join('\n')}`;
if (!process.argv.includes('--check')) writeFileSync(page, expected);
else if (readFileSync(page, 'utf8') !== expected) {
  const [old, now] = [readFileSync(page, 'utf8').split('\n'), expected.split('\n')];
  const at = now.findIndex((line, i) => line !== old[i]);
  console.error(
    `check-docs: docs/cli.md, line ${at + 1}, is not what the command prints; run: node scripts/docs-cli.mjs\n  page:    ${old[at]}\n  printed: ${now[at]}`,
  );
  process.exit(1);
} else console.log('check-docs: docs/cli.md is what the commands print');
