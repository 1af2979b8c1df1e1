import type { Writable } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import type { LogFields, Logger } from '../lib/log.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Lines as Vault writes them: `2026-11-22T10:00:00.000Z [INFO]  core: vault is unsealed: key=value`. */
export function createTextLog(stream: Writable, clock: Clock, level: LogLevel, name = 'core'): Logger {
  const lowest = logLevels.indexOf(level);
  const line =
    (wanted: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (logLevels.indexOf(wanted) < lowest) return;
      const tail = Object.entries(fields).map(([key, value]) => `${key}=${shown(value)}`);
      const text = tail.length === 0 ? message : `${message}: ${tail.join(' ')}`;
      const mark = `[${wanted.toUpperCase()}]`.padEnd(7);
      stream.write(`${new Date(clock.now()).toISOString()} ${mark} ${name}: ${text}\n`);
    };
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    named: (next) => createTextLog(stream, clock, level, next),
  };
}

/** Quoted when it would not be one word; control characters cannot forge a line. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
}
