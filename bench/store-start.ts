import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, start } from '../test/support/program.ts';
import { loadHttp } from './lib/load-http.ts';
import type { Sample } from './lib/measures.ts';
import { rssMb } from './lib/process-usage.ts';
import { runScript } from './lib/program.ts';
import type { Build, Plan, Question, Settings, Variant } from './lib/question.ts';
import type { Filled, FillOrder } from './store-fill-process.ts';

const script = fileURLToPath(new URL('./store-fill-process.ts', import.meta.url));
const tokens = 100_000;
const keys = 25_000; // tokens: each has four keys

/** How long from exec to the first answer of an open store, and what does it hold in memory? */
export const storeStart: Question = { name: 'store-start', prepare };

async function prepare(settings: Settings): Promise<Plan> {
  return {
    title: 'Start of a store with much in it',
    method:
      'from exec over unsealing to the first 200 of sys/health; RSS after a load of token creations; filled once, on disk',
    measures: ['seconds', 'rss'],
    variants: settings.builds.flatMap((build) => [
      startVariant(`${build.name}, empty`, 0, build, settings),
      startVariant(`${build.name}, 100,000 keys`, keys, build, settings),
      startVariant(`${build.name}, 100,000 leases`, tokens, build, settings),
    ]),
    marks: [],
    notes: ['marks: 0.5 s with 100,000 keys, 200 MB at 100,000 leases'],
  };
}

function startVariant(name: string, count: number, build: Build, settings: Settings): Variant {
  let filled: Promise<Filled & { readonly folder: string }> | undefined;
  const fill = async () => {
    const folder = await mkdtemp(join(settings.scratch, 'start-'));
    const order: FillOrder = { folder: join(folder, 'data'), count, steps: false };
    return { folder, ...(await runScript<Filled>(script, order)) };
  };
  return {
    name,
    run: async () => {
      filled ??= fill();
      return startOnce(await filled, build, settings);
    },
  };
}

async function startOnce(
  { folder, key, rootToken }: Filled & { readonly folder: string },
  { command }: Build,
  { scratch, seconds: loadSeconds }: Settings,
): Promise<Sample> {
  const [port = 0] = await freePorts(1);
  const address = `http://127.0.0.1:${port}`;
  const listener = `listener "tcp" {\n  address = "127.0.0.1:${port}"\n  tls_disable = true\n}\n`;
  await writeFile(join(folder, 'store.hcl'), `${listener}storage "lmdb" {\n  path = "${folder}/data"\n}\n`);
  const began = performance.now();
  const program = start([...command, 'vault', 'server', `-config=${folder}/store.hcl`], { cwd: folder });
  try {
    await program.until(async () => (await fetch(`${address}/v1/sys/seal-status`)).status === 200);
    await fetch(`${address}/v1/sys/unseal`, { method: 'PUT', body: JSON.stringify({ key }) });
    const { status } = await fetch(`${address}/v1/sys/health`);
    if (status !== 200) throw new Error(`sys/health answered ${status}`);
    const seconds = (performance.now() - began) / 1000;
    const load = {
      url: `${address}/v1/auth/token/create`,
      method: 'POST',
      headers: { 'X-Vault-Token': rootToken },
      body: JSON.stringify({ policies: ['default'], ttl: '1h' }),
      connections: 16,
      seconds: loadSeconds,
    };
    await loadHttp(load, scratch);
    const rss = rssMb(program.pid);
    return { seconds, ...(rss === undefined ? {} : { rss }) };
  } finally {
    await program.stop();
  }
}
