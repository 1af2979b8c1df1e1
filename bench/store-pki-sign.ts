import { createCsr } from '../src/x509/csr.ts';
import { generateKeyPair } from '../src/x509/keys.ts';
import { httpGenerator, loadHttp } from './lib/load-http.ts';
import { measureLoad } from './lib/measure-load.ts';
import { loadMeasures } from './lib/measures.ts';
import type { Plan, Question, Settings, Variant } from './lib/question.ts';
import { type BenchStore, startStore } from './lib/store.ts';
import { type StoreProgram, storePrograms } from './lib/store-programs.ts';

const connections = 16;

/** How many certificates a second does the PKI engine sign, when it keeps none of them? */
export const storePkiSign: Question = { name: 'store-pki-sign', prepare };

async function prepare(settings: Settings): Promise<Plan> {
  const subject = [{ type: 'CN', value: 'shop.demo.svc' }];
  const csr = await createCsr({ key: await generateKeyPair('ec-p256'), subject });
  const { programs, notes } = storePrograms(settings);
  const able = await Promise.all(programs.map((program) => offersRoles(program, settings)));
  const unable = programs.filter((_, i) => able[i] === false).map(({ name }) => name);
  return {
    title: 'PKI sign of a P-256 request',
    method: `${connections} connections, P-256 root, role with no_store; load by ${httpGenerator}`,
    measures: loadMeasures,
    variants: programs.filter((_, i) => able[i]).map((program) => signVariant(program, csr, settings)),
    marks: settings.builds.flatMap(({ name }) => [
      { ours: name, other: 'openbao', measure: 'perSecond', atLeast: 1 },
    ]),
    notes: [...notes, ...unable.map((name) => `${name} has no PKI roles yet: not measured`)],
  };
}

async function furnish(store: BenchStore): Promise<void> {
  await store.call('POST', 'sys/mounts/pki', { type: 'pki' });
  await store.call('POST', 'pki/root/generate/internal', {
    common_name: 'Root CA',
    key_type: 'ec',
    key_bits: 256,
    ttl: '720h',
  });
  await store.call('POST', 'pki/roles/mesh', {
    allow_any_name: true,
    enforce_hostnames: false,
    key_type: 'any',
    no_store: true,
    max_ttl: '24h',
  });
}

async function offersRoles({ command }: StoreProgram, { scratch }: Settings): Promise<boolean> {
  const store = await startStore({ command, scratch });
  try {
    await furnish(store);
    return true;
  } catch (error) {
    if (/pki\/roles\/mesh: 40[45]/.test(String(error))) return false;
    throw error;
  } finally {
    await store.program.stop();
  }
}

function signVariant({ name, command }: StoreProgram, csr: string, settings: Settings): Variant {
  return {
    name,
    run: async () => {
      const store = await startStore({ command, scratch: settings.scratch });
      try {
        await furnish(store);
        await store.call('PUT', 'sys/policies/acl/sign', {
          policy: 'path "pki/sign/mesh" { capabilities = ["create", "update"] }',
        });
        const { auth } = await store.call('POST', 'auth/token/create', { policies: ['sign'], ttl: '1h' });
        const headers = {
          'X-Vault-Token': (auth as { client_token: string }).client_token,
          'Content-Type': 'application/json',
        };
        const body = JSON.stringify({ csr, common_name: 'shop.demo.svc', ttl: '1h' });
        const url = `${store.address}/v1/pki/sign/mesh`;
        const load = (seconds: number) =>
          loadHttp({ url, method: 'POST', headers, body, connections, seconds }, settings.scratch);
        return await measureLoad(store.program.pid, load, settings);
      } finally {
        await store.program.stop();
      }
    },
  };
}
