/** `fer-cudnn serve`: the models over HTTP, and a page to play with them. */
import { Command, Option } from 'commander';
import { PRETRAINED_NAMES } from '../pretrained.js';
import { readRegular } from '../regular-file.js';
import { DEFAULTS, LIMITS, LOG_LEVELS, type ServeOptions } from '../server/options.js';
import { addDeviceFlags, numberOf, usageError, wholeNumberOf } from './options.js';
import { withoutReader } from './readers.js';
import { note, print } from './output.js';

const EXAMPLES = `
Examples:
  $ fer-cudnn serve                                        a page at http://127.0.0.1:8080, and its API at /docs
  $ fer-cudnn serve --model robust --port 9000
  $ fer-cudnn serve --model run/model.safetensors narrow   the first answers where a request names none
  $ FER_SERVER_TOKEN=… fer-cudnn serve --host 0.0.0.0      for other machines, who have to know the token
  $ curl -F image=@face.jpg http://127.0.0.1:8080/v1/predict
  $ curl --data-binary @face.jpg -H 'content-type: image/jpeg' 'http://127.0.0.1:8080/v1/predict?flip=true'
  $ curl -F image=@face.jpg -F 'perturbations=[{"type":"rotation","degrees":15}]' http://127.0.0.1:8080/v1/perturb -o turned.png

Serving needs packages that do not come with this one; without them, one line says how to install them. Ctrl-C and SIGTERM end the
server once it has answered what it took. Requests beyond --queue are answered 503 with Retry-After. docs/serving.md says more.`;

/** A limit's flag: its name, what it is, and its option. */
const LIMIT_FLAGS: readonly [flag: string, name: Exclude<keyof typeof LIMITS, 'port'>, describe: string][] = [
  ['--queue <n>', 'queue', 'requests under way at a time'],
  ['--max-batch <n>', 'maxBatch', 'pictures that go through the network together'],
  ['--batch-delay <ms>', 'batchDelay', 'how long the first picture of a batch waits for others while the network rests'],
  ['--body-limit <MiB>', 'bodyLimit', 'the largest request'],
  ['--pixel-limit <millions>', 'pixelLimit', 'the most pixels of a picture'],
  ['--max-images <n>', 'maxImages', 'the most pictures of a request'],
  ['--timeout <s>', 'timeout', 'how long a request may take to arrive, and to be answered'],
  ['--grace <s>', 'grace', 'how long what is under way may take to end'],
];

interface ServeFlags extends Omit<ServeOptions, 'models' | 'token' | 'corsOrigins'> {
  model?: string[];
  tokenFile?: string;
  cors?: string[];
}

export function serveCommand(): Command {
  const command = new Command('serve')
    .description('Serves models over HTTP, with a page to play with them.')
    .option('--model <model...>', `what to serve: ${PRETRAINED_NAMES.join(' or ')}, which come with the package, or files [both]`)
    .addOption(new Option('--host <address>', 'where to listen; 0.0.0.0 for other machines').default(DEFAULTS.host))
    .addOption(
      new Option('--port <n>', 'where to listen; 0: a free one').default(DEFAULTS.port).argParser(wholeNumberOf('--port', ...LIMITS.port)),
    )
    .option('--token-file <file>', 'a file with the token that requests must bear [FER_SERVER_TOKEN, or none]')
    .option('--cors <origin...>', 'origins whose pages may ask [none]')
    .addOption(new Option('--log-level <level>', 'JSON lines on standard error').choices(LOG_LEVELS).default('info'))
    .optionsGroup('Limits:');
  for (const [flag, name, describe] of LIMIT_FLAGS) {
    const [least, most] = LIMITS[name];
    const word = flag.split(' ')[0];
    const parser = name === 'pixelLimit' ? numberOf(word) : wholeNumberOf(word, least, most);
    command.addOption(new Option(flag, describe).default(DEFAULTS[name]).argParser(parser));
  }
  return addDeviceFlags(command).addHelpText('after', EXAMPLES).action(serve);
}

async function tokenOf({ tokenFile }: ServeFlags): Promise<string | undefined> {
  if (tokenFile === undefined) return process.env.FER_SERVER_TOKEN || undefined;
  const token = (await readRegular(tokenFile, { most: 4096 })).toString('utf8').trim();
  if (token === '') throw usageError('--token-file', 'a file with a token', tokenFile);
  return token;
}

async function serve({ model, cors, ...flags }: ServeFlags): Promise<void> {
  const token = await tokenOf(flags);
  const [{ serve }, { default: sharp }] = await Promise.all([import('../server/serve.js'), import('sharp')]);
  // Many small pictures at a time: a thread each is faster than several for one, and none comes twice.
  sharp.concurrency(1);
  sharp.cache(false);
  if (flags.host !== undefined && !isLoopback(flags.host) && token === undefined)
    note(`note: without a token, whoever reaches ${flags.host} may ask; name one with --token-file or FER_SERVER_TOKEN`);
  const server = await serve({ ...flags, models: model, corsOrigins: cors, token });
  print(`serving on ${server.url} (the API is at ${server.url}/docs)`);
  const signal = await withoutReader(() => firstSignal());
  note(`\n${signal}: finishing what is under way; again to end at once`);
  const now = (): never => process.exit(130);
  process.once('SIGINT', now).once('SIGTERM', now);
  await server.close();
  process.off('SIGINT', now).off('SIGTERM', now);
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

const firstSignal = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    process.once('SIGINT', resolve).once('SIGTERM', resolve);
  });
