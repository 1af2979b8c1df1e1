import { makeBundle } from './lib/bundle.ts';
import { httpGenerator, loadHttp } from './lib/load-http.ts';
import { measureLoad } from './lib/measure-load.ts';
import { loadMeasures } from './lib/measures.ts';
import type { Plan, Question, Settings, Variant } from './lib/question.ts';
import { type BenchStore, bundlePath, startStore } from './lib/store.ts';
import { type StoreProgram, storePrograms } from './lib/store-programs.ts';

const connections = 16;
const few = 2;
const many = 200;
const perPolicy = 10;
/** What two runs of the same thing differ by on a machine with two cores. */
const noise = 0.97;

/** Does a token pay for the rules that it does not use? The same read, allowed by the same rule. */
export const storePolicy: Question = { name: 'store-policy', prepare };

async function prepare(settings: Settings): Promise<Plan> {
  const { entry } = await makeBundle();
  const { programs, notes } = storePrograms(settings);
  const variants = programs.flatMap((program) =>
    [few, many].map((rules) => rulesVariant(program, rules, entry, settings)),
  );
  return {
    title: `KV v1 read with ${few} and with ${many} policy rules`,
    method: `${connections} connections, a token of ${few} rules beside one of ${many} in ${many / perPolicy} policies (exact paths, prefixes and +); load by ${httpGenerator}`,
    measures: loadMeasures,
    variants,
    marks: settings.builds.map(({ name }) => ({
      ours: nameOf(name, many),
      other: nameOf(name, few),
      measure: 'perSecond' as const,
      atLeast: noise,
    })),
    notes,
  };
}

const nameOf = (program: string, rules: number): string => `${program}, ${rules} rules`;

function rulesVariant(
  { name, command }: StoreProgram,
  rules: number,
  entry: Record<string, string>,
  settings: Settings,
): Variant {
  return {
    name: nameOf(name, rules),
    run: async () => {
      const store = await startStore({ command, scratch: settings.scratch });
      try {
        await store.call('POST', 'sys/mounts/kubernetes-cluster1-secrets', {
          type: 'kv',
          options: { version: '1' },
        });
        await store.call('POST', bundlePath, entry);
        const headers = { 'X-Vault-Token': await tokenWith(store, rules) };
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

async function tokenWith({ call }: BenchStore, rules: number): Promise<string> {
  const policies = Array.from({ length: Math.ceil(rules / perPolicy) }, (_, i) => `bench-${i}`);
  for (const [i, policy] of policies.entries()) {
    const count = Math.min(perPolicy, rules - i * perPolicy);
    const lines = Array.from({ length: count }, (__, j) => ruleLine(i * perPolicy + j));
    await call('PUT', `sys/policies/acl/${policy}`, { policy: lines.join('\n') });
  }
  const { auth } = await call('POST', 'auth/token/create', { policies, no_default_policy: true, ttl: '1h' });
  return (auth as { client_token: string }).client_token;
}

/** The first is a pattern that allows the read; the others are of the three kinds in turn. */
function ruleLine(i: number): string {
  const paths = [`other/${i}/certs`, `other/${i}/*`, `other/+/${i}/certs`];
  const path = i === 0 ? bundlePath.replace(/certs$/, '*') : paths[i % paths.length];
  return `path "${path}" { capabilities = ["read"] }`;
}
