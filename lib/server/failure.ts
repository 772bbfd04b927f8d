/** What a failed request is told: a status, and an error with a literal code. */
import { FerError, type FerErrorCode } from '../errors.js';

/** Codes of `FerError`, and of this room; whatever is in neither is the server's own fault. */
const STATUS: Partial<Record<FerErrorCode, number>> = {
  ERR_FER_ARGUMENT: 400,
  ERR_FER_USAGE: 400,
  ERR_FER_CONFIG: 400,
  ERR_FER_IMAGE_FORMAT: 422,
  ERR_FER_DATA_FORMAT: 422,
  ERR_FER_PACKAGE_MISSING: 501,
  ERR_FER_OUT_OF_MEMORY: 503,
};

export interface Failure {
  status: number;
  code: string;
  message: string;
}

/** A request that cannot be answered, for a reason of HTTP. */
export class RequestError extends Error {
  constructor(
    readonly statusCode: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Errors of fastify and its plug-ins carry a status; what they say is meant for the client. */
export function failureOf(error: unknown): Failure {
  if (error instanceof FerError) {
    const status = STATUS[error.code] ?? 500;
    return { status, code: error.code, message: error.message };
  }
  const { statusCode = 500, code = 'ERR_FER_SERVER', message } = error as { statusCode?: number; code?: string; message?: string };
  if (statusCode >= 400 && statusCode < 500 && typeof message === 'string') return { status: statusCode, code, message };
  if (error instanceof RequestError) return { status: statusCode, code, message: error.message };
  return { status: 500, code: 'ERR_FER_SERVER', message: 'something went wrong here; the log has more' };
}
