import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeBundle } from './lib/bundle.ts';
import type { Sample } from './lib/measures.ts';
import { runScript } from './lib/program.ts';
import type { Plan, Question, Settings, Variant } from './lib/question.ts';
import { enableLogin, startSandbox } from './lib/sandbox.ts';
import { type BenchStore, bundlePath, startStore } from './lib/store.ts';
import { storePrograms } from './lib/store-programs.ts';
import type { Storm, StormResult } from './lib/storm.ts';

const agents = 500;
const spreadSeconds = 10;
const script = fileURLToPath(new URL('./lib/agent-storm-process.ts', import.meta.url));

/** A machine restarts and all its agents log in: is the store run over, and does `login_spread` keep them apart? */
export const agentStorm: Question = { name: 'agent-storm', prepare };

async function prepare(settings: Settings): Promise<Plan> {
  const { programs } = storePrograms({ ...settings, builds: settings.builds.slice(0, 1) });
  const [ours = { name: 'none', command: [] }] = programs;
  const sandbox = await startSandbox();
  const store = await startStore({ command: ours.command, scratch: settings.scratch });
  await store.call('POST', 'sys/mounts/kubernetes-cluster1-secrets', {
    type: 'kv',
    options: { version: '1' },
  });
  await store.call('POST', bundlePath, (await makeBundle()).entry);
  await enableLogin(store, sandbox);
  const tokenFile = join(settings.scratch, 'storm-token');
  await writeFile(tokenFile, sandbox.istiodToken, { mode: 0o600 });
  const variant = (name: string, spread: string) =>
    stormVariant(name, { store, tokenFile, spread, settings });
  return {
    title: `${agents} agents start at once: login, one file, exit`,
    method: `all agents in one process (${agents} processes would take 25 GB), each with its own connections, files and token; our store over a socket, logins reviewed by a sandbox API server. Peak: most logins in one second; even: peak over the mean of the span`,
    measures: ['seconds', 'peakPerSecond', 'even'],
    variants: [
      variant(`login_spread ${spreadSeconds}s`, `${spreadSeconds}s`),
      variant('no spread: as fast as the store can', '0s'),
    ],
    marks: [],
    notes: [
      `an even spread of ${agents} logins over ${spreadSeconds} s is ${agents / spreadSeconds} in each second`,
    ],
    close: async () => {
      await store.program.stop();
      await sandbox.stop();
    },
  };
}

interface Given {
  readonly store: BenchStore;
  readonly tokenFile: string;
  readonly spread: string;
  readonly settings: Settings;
}

function stormVariant(name: string, { store, tokenFile, spread, settings }: Given): Variant {
  const storm: Storm = {
    agents,
    address: store.address,
    tokenFile,
    spread,
    scratch: settings.scratch,
    path: bundlePath,
  };
  return { name, run: async () => sampleOf(await runScript<StormResult>(script, storm)) };
}

/** @param result when each agent had logged in, seconds after the first started */
function sampleOf({ logins }: StormResult): Sample {
  if (logins.length !== agents) throw new Error(`${logins.length} of ${agents} agents logged in`);
  const seconds = Math.max(...logins);
  const perSecond = new Map<number, number>();
  for (const at of logins) perSecond.set(Math.floor(at), (perSecond.get(Math.floor(at)) ?? 0) + 1);
  const peak = Math.max(...perSecond.values());
  return { seconds, peakPerSecond: peak, even: peak / (agents / Math.max(1, seconds)) };
}
