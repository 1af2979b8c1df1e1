import type { Writable } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import type { LogFields, Logger } from '../lib/log.ts';

/** istiod's log format: `2022-11-16T20:35:05.123456Z<tab>info<tab>[scope<tab>]text`, one line per message. */
export function istioLogger(
  out: Writable,
  clock: Clock,
  options: { debug?: boolean; scope?: string } = {},
): Logger {
  const { debug = false, scope } = options;
  const write = (level: string) => (message: string, fields?: LogFields) => {
    const time = `${new Date(clock.now()).toISOString().slice(0, -1)}000Z`;
    const text = [time, level, ...(scope === undefined ? [] : [scope]), oneLine(message) + fieldText(fields)];
    out.write(`${text.join('\t')}\n`);
  };
  return {
    debug: debug ? write('debug') : () => {},
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    named: (name) => istioLogger(out, clock, { debug, scope: name }),
  };
}

/** What a peer sent may stand in a message: it never starts a line of its own. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is taken out
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ');
}

function fieldText(fields: LogFields | undefined): string {
  const known = Object.entries(fields ?? {}).filter(([, value]) => value !== undefined);
  return known.map(([key, value]) => `\t${key}=${oneLine(String(value))}`).join('');
}
