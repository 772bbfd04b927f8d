/** What serving needs and most users do not: optional packages, loaded when a server starts. */
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

async function load() {
  const [fastify, multipart, files, swagger, swaggerUi, cors, bearerAuth, prometheus] = await Promise.all([
    import('fastify'),
    import('@fastify/multipart'),
    import('@fastify/static'),
    import('@fastify/swagger'),
    import('@fastify/swagger-ui'),
    import('@fastify/cors'),
    import('@fastify/bearer-auth'),
    import('prom-client'),
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
