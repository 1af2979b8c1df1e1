import { constants } from 'node:os';
import type { OnChangeSettings } from './config.ts';
import type { Section } from './section.ts';

const keys = [
  'folder',
  'command',
  'signal',
  'pid_file',
  'http',
  'probe',
  'server_name',
  'timeout',
  'interval',
];

/** The `on_change` blocks: who is told of a new set, and where it is seen that it is in use. Ours alone. */
export function readOnChange(section: Section): OnChangeSettings[] {
  return section.sections('on_change').map((body) => {
    body.onlyKnows(keys);
    const [first] = body.object.entries;
    const folder = body.text('folder') ?? body.fail('on_change needs the "folder" of a set', first);
    const probe = body.text('probe');
    if (probe !== undefined && !/^.+:\d+$/.test(probe))
      body.fail('on_change.probe must be HOST:PORT', body.entry('probe'));
    const http = body.text('http');
    if (http !== undefined && !URL.canParse(http))
      body.fail('on_change.http must be an address', body.entry('http'));
    return {
      folder: folder.replace(/\/+$/, ''),
      command: body.texts('command'),
      signal: signalOf(body),
      pidFile: body.text('pid_file'),
      http,
      probe,
      serverName: body.text('server_name'),
      timeoutMs: body.duration('timeout') ?? 30_000,
      intervalMs: body.duration('interval') ?? 250,
    };
  });
}

function signalOf(body: Section): NodeJS.Signals | undefined {
  const name = body.text('signal');
  if (name === undefined) return undefined;
  if (body.text('pid_file') === undefined)
    body.fail('on_change.signal needs a pid_file', body.entry('signal'));
  const known = Object.keys(constants.signals).find((signal) => signal === name);
  return (
    (known as NodeJS.Signals | undefined) ??
    body.fail(`on_change: unknown signal "${name}"`, body.entry('signal'))
  );
}
