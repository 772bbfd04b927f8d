/** What serving needs and most users do not: optional packages, loaded when a server starts. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { FerError } from '../errors.js';

/** The optional packages of the server, in the order in which a message names them. */
export const SERVER_PACKAGES = [
  'fastify',
  '@fastify/multipart',
  '@fastify/static',
  '@fastify/swagger',
  '@fastify/swagger-ui',
  '@fastify/cors',
  '@fastify/bearer-auth',
  'prom-client',
] as const;

/** By a name that bundlers do not look for: they would stop where the package is not installed. */
const optional = async <T>(name: string): Promise<T> => (await import(name)) as T;

async function load() {
  const [fastify, multipart, files, swagger, swaggerUi, cors, bearerAuth, prometheus] = await Promise.all([
    optional<typeof import('fastify')>('fastify'),
    optional<typeof import('@fastify/multipart')>('@fastify/multipart'),
    optional<typeof import('@fastify/static')>('@fastify/static'),
    optional<typeof import('@fastify/swagger')>('@fastify/swagger'),
    optional<typeof import('@fastify/swagger-ui')>('@fastify/swagger-ui'),
    optional<typeof import('@fastify/cors')>('@fastify/cors'),
    optional<typeof import('@fastify/bearer-auth')>('@fastify/bearer-auth'),
    optional<{ default: typeof import('prom-client') }>('prom-client'),
  ]);
  return {
    fastify: fastify.default,
    LogController: fastify.LogController,
    multipart: multipart.default,
    files: files.default,
    swagger: swagger.default,
    swaggerUi: swaggerUi.default,
    cors: cors.default,
    bearerAuth: bearerAuth.default,
    prometheus: prometheus.default,
  };
}

export type Libraries = Awaited<ReturnType<typeof load>>;

/** @throws {FerError} ERR_FER_PACKAGE_MISSING, which says what to install */
export async function serverLibraries(): Promise<Libraries> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new FerError(
      'ERR_FER_PACKAGE_MISSING',
      `serving needs packages that are not installed: npm install ${SERVER_PACKAGES.join(' ')}`,
      {
        cause,
        details: { packages: [...SERVER_PACKAGES] },
      },
    );
  }
}

/** What runs a network in the browser. */
export const BROWSER_PACKAGE = 'onnxruntime-web';

/** The folder with its scripts and its WebAssembly. @throws {FerError} ERR_FER_PACKAGE_MISSING, which says what to install */
export function browserRuntimeFolder(): string {
  try {
    return path.dirname(createRequire(import.meta.url).resolve(`${BROWSER_PACKAGE}/wasm`));
  } catch (cause) {
    const message = `answers in the browser need a package that is not installed beside the server: npm install ${BROWSER_PACKAGE}`;
    throw new FerError('ERR_FER_PACKAGE_MISSING', message, { cause, details: { packages: [BROWSER_PACKAGE] } });
  }
}
