// What a script of ours was called with. `--help` prints the comment at the script's head; a wrong flag gets one line and status 2.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** The comment that a script begins with, without its marks. */
function headComment(file) {
  const lines = readFileSync(file, 'utf8')
    .replace(/^#!.*\n/, '')
    .split('\n');
  const comment = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('//')),
  );
  return comment.map((line) => line.replace(/^\/\/ ?/, '')).join('\n');
}

/**
 * `config` is what `util.parseArgs` takes.
 * @returns {{ values: Record<string, any>, positionals: string[] }}
 */
export function readFlags(config) {
  const script = process.argv[1];
  try {
    const read = parseArgs({ ...config, options: { ...config.options, help: { type: 'boolean', short: 'h' } } });
    if (!read.values.help) return read;
    console.log(headComment(script));
    process.exit(0);
  } catch (error) {
    if (!error.code?.startsWith('ERR_PARSE_ARGS')) throw error;
    console.error(`${error.message}\nIts flags: node ${script} --help`);
    process.exit(2);
  }
}
