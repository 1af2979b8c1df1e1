import type { Writable } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { LogFields, Logger } from '../lib/log.ts';

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';
const order: readonly Level[] = ['trace', 'debug', 'info', 'warn', 'error'];
const aliases: Readonly<Record<string, Level>> = { notice: 'info', warning: 'warn', err: 'error' };

export interface AgentLogOptions {
  readonly out: Writable;
  readonly clock: Clock;
  readonly format: 'standard' | 'json';
  /** Read for each line, so that SIGHUP can change it. */
  readonly level: () => Level;
}

/** @throws MeshrootError for a word that is no level */
export function parseLevel(text: string): Level {
  const word = text.trim().toLowerCase();
  const level = aliases[word] ?? order.find((l) => l === word);
  if (level === undefined)
    throw new MeshrootError('bad-log-level', `unknown log level: ${text}`, {
      exit: 1,
      hint: 'one of trace, debug, info, warn, error',
    });
  return level;
}

/** Lines as Vault Agent writes them: `2022-11-18T11:01:21.398Z [INFO]  auth.handler: authenticating`. */
export function agentLog(options: AgentLogOptions, name = ''): Logger {
  const write = (level: Level, message: string, fields: LogFields = {}): void => {
    if (order.indexOf(level) < order.indexOf(options.level())) return;
    const time = new Date(options.clock.now()).toISOString();
    const line = options.format === 'json' ? json : standard;
    options.out.write(`${line(time, level, name, message, fields)}\n`);
  };
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    named: (inner) => agentLog(options, name === '' ? inner : `${name}.${inner}`),
  };
}

function standard(time: string, level: Level, name: string, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields).map(([k, v]) => ` ${k}=${fieldText(v)}`);
  const colon = pairs.length > 0 ? ':' : '';
  // What came from consul-template's own logger, `(runner) …`, has neither padding nor name, and `[ERR]`.
  if (message.startsWith('(')) {
    const word = level === 'error' ? 'ERR' : level.toUpperCase();
    return `${time} [${word}] ${message}${colon}${pairs.join('')}`;
  }
  const label = `[${level.toUpperCase()}]`.padEnd(7);
  return `${time} ${label} ${name === '' ? '' : `${name}: `}${message}${colon}${pairs.join('')}`;
}

function fieldText(value: unknown): string {
  const text = String(value);
  return /[\s"=]/.test(text) || text === '' ? JSON.stringify(text) : text;
}

function json(time: string, level: Level, name: string, message: string, fields: LogFields): string {
  const values = Object.fromEntries(
    Object.entries(fields).map(([k, v]) => [k, typeof v === 'number' ? v : String(v)]),
  );
  return JSON.stringify({
    '@level': level,
    '@message': message,
    ...(name === '' ? {} : { '@module': name }),
    '@timestamp': time,
    ...values,
  });
}
