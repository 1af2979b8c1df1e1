import type { Writable } from 'node:stream';
import { type Logger as Pino, pino } from 'pino';
import type { Logger } from '../lib/log.ts';
import type { LogLevel } from './text-log.ts';

/** One JSON object per line, for collectors. */
export function createPinoLog(stream: Writable, level: LogLevel): Logger {
  return wrap(pino({ level, base: null, messageKey: '@message' }, stream));
}

function wrap(logger: Pino): Logger {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    named: (name) => wrap(logger.child({ '@module': name })),
  };
}
