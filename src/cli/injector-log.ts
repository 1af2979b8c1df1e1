import type { Writable } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { LogFields, Logger } from '../lib/log.ts';

const levels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
type Level = (typeof levels)[number];

const spellings: Readonly<Record<string, Level>> = {
  trace: 'trace',
  debug: 'debug',
  notice: 'info',
  info: 'info',
  '': 'info',
  warn: 'warn',
  warning: 'warn',
  err: 'error',
  error: 'error',
};

/** Lines as vault-k8s writes them (hclog): `2026-01-02T03:04:05.678Z [INFO]  name: message: key=value`, or JSON. */
export function hclogLogger(out: Writable, clock: Clock, level: string, format: string): Logger {
  const least = spellings[level.trim().toLowerCase()];
  if (least === undefined) {
    throw new MeshrootError('bad-setting', `Error setting log level: unknown log level: ${level}`, {
      exit: 1,
    });
  }
  const render = format === 'json' ? jsonLine : textLine;
  const named = (name: string): Logger => {
    const at = (own: Level) => (message: string, fields?: LogFields) => {
      if (levels.indexOf(own) < levels.indexOf(least)) return;
      out.write(`${render(new Date(clock.now()).toISOString(), own, name, message, fields ?? {})}\n`);
    };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      named: (child) => named(name === '' ? child : `${name}.${child}`),
    };
  };
  return named('');
}

function textLine(time: string, level: Level, name: string, message: string, fields: LogFields): string {
  const tag = `[${level.toUpperCase()}]`.padEnd(7);
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${quoted(String(value))}`);
  return `${time} ${tag} ${name === '' ? '' : `${name}: `}${message}${pairs.length === 0 ? '' : `:${pairs.join('')}`}`;
}

function jsonLine(time: string, level: Level, name: string, message: string, fields: LogFields): string {
  const module = name === '' ? {} : { '@module': name };
  return JSON.stringify({ '@level': level, '@message': message, ...module, '@timestamp': time, ...fields });
}

function quoted(text: string): string {
  return /[\s"=\p{Cc}]/u.test(text) ? JSON.stringify(text) : text;
}
