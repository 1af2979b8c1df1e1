import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onPath } from '../../test/support/on-path.ts';
import type { Load, LoadResult } from './load.ts';
import { runScript } from './program.ts';

const wrk = onPath('wrk');

/** Named in the report: figures of different generators are not to be compared. */
export const ownGenerator = 'one Node process of its own, the request encoded once';
export const httpGenerator = wrk === undefined ? ownGenerator : 'wrk, one thread';

/**
 * As loadHttp, but never by wrk, whose TLS does not come together with every Go server (it sends a server name where
 * the certificate is for an address).
 */
export const loadHttps = (load: Load): Promise<LoadResult> => runScript<LoadResult>(script, load);

/** Sends the same request over and over on `connections` kept-alive connections. Certificates are not checked. */
export function loadHttp(load: Load, scratch: string): Promise<LoadResult> {
  return wrk === undefined ? runScript<LoadResult>(script, load) : runWrk(wrk, load, scratch);
}

const script = fileURLToPath(new URL('./http-load-process.ts', import.meta.url));

async function runWrk(program: string, load: Load, scratch: string): Promise<LoadResult> {
  const file = join(scratch, 'load.lua');
  await writeFile(file, luaOf(load));
  const { stdout } = await promisify(execFile)(program, [
    '-t1',
    `-c${load.connections}`,
    `-d${load.seconds}s`,
    '--timeout=10s',
    '-s',
    file,
    load.url,
  ]);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as LoadResult;
}

function luaOf({ method, headers, body }: Load): string {
  const fields = Object.entries(headers).map(([name, value]) => `wrk.headers[${lua(name)}]=${lua(value)}`);
  return `wrk.method=${lua(method)}
${fields.join('\n')}
${body === undefined ? '' : `wrk.body=${lua(body)}`}
done=function(s,l) local e=s.errors
io.write(string.format('\\n{"requests":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,"errors":%d}\\n',
 s.requests, s.duration/1e6, l:percentile(50)/1e3, l:percentile(99)/1e3, e.connect+e.read+e.write+e.status+e.timeout)) end
`;
}

/** A Lua string that may hold anything. */
const lua = (text: string): string =>
  `"${[...Buffer.from(text)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`;
