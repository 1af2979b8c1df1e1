import { makeBundle } from './lib/bundle.ts';
import { startEcho } from './lib/echo.ts';
import { httpGenerator, loadHttp } from './lib/load-http.ts';
import { measureLoad } from './lib/measure-load.ts';
import { loadMeasures } from './lib/measures.ts';
import type { Plan, Question, Settings, Variant } from './lib/question.ts';
import { bundlePath, startStore } from './lib/store.ts';
import { type StoreProgram, storePrograms } from './lib/store-programs.ts';

const connections = 16;

/** How fast is the read that every istiod pod makes: the four-key bundle, with the token of its login? */
export const storeKvRead: Question = { name: 'store-kv-read', prepare };

async function prepare(settings: Settings): Promise<Plan> {
  const { entry } = await makeBundle();
  const { programs, notes } = storePrograms(settings);
  const variants = programs.flatMap((program) =>
    [false, true].map((audit) => readVariant(program, audit, entry, settings)),
  );
  const marks = settings.builds.flatMap(({ name }) =>
    ['', ', file audit'].flatMap((suffix) => [
      { ours: name + suffix, other: `openbao${suffix}`, measure: 'perSecond' as const, atLeast: 2 },
      { ours: name + suffix, other: `openbao${suffix}`, measure: 'p99' as const, atMost: 1 },
    ]),
  );
  return {
    title: 'KV v1 read of the four-key bundle',
    method: `${connections} connections, a token with the read-only policy, store in memory; load by ${httpGenerator}`,
    measures: loadMeasures,
    variants: [...variants, echoVariant(JSON.stringify(entry).length + 180, settings)],
    marks,
    notes,
  };
}

function readVariant(
  { name, command }: StoreProgram,
  audit: boolean,
  entry: Record<string, string>,
  settings: Settings,
): Variant {
  return {
    name: audit ? `${name}, file audit` : name,
    run: async () => {
      const store = await startStore({ command, audit, scratch: settings.scratch });
      try {
        await store.call('POST', 'sys/mounts/kubernetes-cluster1-secrets', {
          type: 'kv',
          options: { version: '1' },
        });
        await store.call('POST', bundlePath, entry);
        const headers = { 'X-Vault-Token': await store.readerToken() };
        const url = `${store.address}/v1/${bundlePath}`;
        const load = (seconds: number) =>
          loadHttp({ url, method: 'GET', headers, connections, seconds }, settings.scratch);
        return await measureLoad(store.program.pid, load, settings);
      } finally {
        await store.program.stop();
      }
    },
  };
}

function echoVariant(size: number, settings: Settings): Variant {
  return {
    name: 'limit: bare node:http, same size',
    run: async () => {
      const { url, program } = await startEcho(size, settings.scratch);
      const load = (seconds: number) =>
        loadHttp({ url, method: 'GET', headers: {}, connections, seconds }, settings.scratch);
      try {
        return await measureLoad(program.pid, load, settings);
      } finally {
        await program.stop();
      }
    },
  };
}
