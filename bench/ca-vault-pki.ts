import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keylessCa } from '../test/support/keyless-ca.ts';
import { freePorts, start } from '../test/support/program.ts';
import { vaultCaller } from '../test/support/vault-caller.ts';
import { callers, namelessCsrs } from './lib/ca-variant.ts';
import { answers } from './lib/echo.ts';
import { csrGenerator, loadCsr } from './lib/load-csr.ts';
import { loadHttps, ownGenerator } from './lib/load-http.ts';
import { measureLoad } from './lib/measure-load.ts';
import { loadMeasures, type Sample } from './lib/measures.ts';
import type { Build, Plan, Question, Settings, Variant } from './lib/question.ts';
import { startSandbox } from './lib/sandbox.ts';
import { type BenchStore, startStore } from './lib/store.ts';
import { type StoreProgram, storePrograms } from './lib/store-programs.ts';

/** What does a CA in front of a Vault's PKI engine lose of the engine's own rate? */
export const caVaultPki: Question = { name: 'ca-vault-pki', prepare };

async function prepare(settings: Settings): Promise<Plan> {
  const { programs, notes } = storePrograms(settings);
  const csrs = await namelessCsrs();
  const [build] = settings.builds;
  if (build === undefined) throw new Error('no build of meshroot');
  return {
    title: 'CSR to certificate, signed by the PKI engine of a Vault',
    method: `${callers} callers, P-256 intermediate, role with no_store; "alone": the same requests to pki/sign over HTTP by ${ownGenerator}; through the CA: gRPC by ${csrGenerator}. CPU and memory are those of the Vault alone, and of the CA`,
    measures: loadMeasures,
    variants: programs.flatMap((store) => [
      aloneVariant(store, csrs, settings),
      throughVariant(store, build, csrs, settings),
    ]),
    marks: programs.map(({ name }) => ({
      ours: `${name}, through the CA`,
      other: `${name}, alone`,
      measure: 'perSecond',
      atLeast: 0.8,
    })),
    notes,
  };
}

async function withStore<T>(
  { command }: StoreProgram,
  { scratch }: Settings,
  use: (store: BenchStore, keyless: Awaited<ReturnType<typeof keylessCa>>) => Promise<T>,
): Promise<T> {
  const store = await startStore({ command, scratch });
  try {
    const keyless = await keylessCa({
      address: store.address,
      call: vaultCaller(store.address, store.token),
    });
    try {
      return await use(store, keyless);
    } finally {
      await keyless.remove();
    }
  } finally {
    await store.program.stop();
  }
}

function aloneVariant(program: StoreProgram, csrs: readonly string[], settings: Settings): Variant {
  const run = (): Promise<Sample> =>
    withStore(program, settings, async (store, keyless) => {
      await keyless.pki('pki-ca');
      const headers = { 'X-Vault-Token': store.token, 'Content-Type': 'application/json' };
      const uri = 'spiffe://cluster.local/ns/demo/sa/shop-1';
      const body = JSON.stringify({ csr: csrs[0], uri_sans: uri, ttl: '24h' });
      const url = `${store.address}/v1/pki-ca/sign/istio`;
      const load = (seconds: number) =>
        loadHttps({ url, method: 'POST', headers, body, connections: callers, seconds });
      return measureLoad(store.program.pid, load, settings);
    });
  return { name: `${program.name}, alone`, run };
}

function throughVariant(
  program: StoreProgram,
  build: Build,
  csrs: readonly string[],
  settings: Settings,
): Variant {
  const run = (): Promise<Sample> =>
    withStore(program, settings, async (store, keyless) => {
      const { rootCaDir = '' } = await keyless.pki('pki-ca');
      const sandbox = await startSandbox();
      const folder = await mkdtemp(join(settings.scratch, 'ca-pki-'));
      const tokenFile = join(folder, 'token');
      await writeFile(tokenFile, store.token, { mode: 0o600 });
      const [port = 0] = await freePorts(1);
      const rule = { issuer: sandbox.jwksIssuer, jwks_uri: sandbox.jwksUrl, audiences: ['istio-ca'] };
      const signer = ['--signer', 'vault-pki', '--vault-pki', 'pki-ca', '--vault-pki-role', 'istio'];
      const vault = ['--vault-address', store.address, '--vault-token-file', tokenFile];
      const place = ['--root-ca-dir', rootCaDir, '--cluster', 'cluster1', '--listen', `127.0.0.1:${port}`];
      const ca = start([...build.command, 'ca', ...signer, ...vault, ...place], {
        cwd: folder,
        env: { JWT_RULE: JSON.stringify(rule) },
      });
      const rootPem = keyless.root.certificate.pem;
      const common = { port, rootPem, tokens: sandbox.jwksTokens, csrs, callers, verify: true };
      try {
        await ca.until(() => answers(port));
        return await measureLoad(ca.pid, (seconds) => loadCsr({ ...common, seconds }), settings);
      } finally {
        await ca.stop();
        await sandbox.stop();
      }
    });
  return { name: `${program.name}, through the CA`, run };
}
