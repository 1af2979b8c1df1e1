import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { tokenIssuer } from '../../src/istio/test-mesh.ts';
import { createCsr } from '../../src/x509/csr.ts';
import { generateKeyPair } from '../../src/x509/keys.ts';

/** Callers that all ask at once, each for itself. */
export interface Storm {
  readonly port: number;
  readonly rootPem: string;
  readonly connections: number;
  readonly callers: readonly { readonly token: string; readonly csr: string }[];
}

export interface StormResult {
  readonly seconds: number;
  readonly served: number;
  /** Different ones. */
  readonly serials: number;
  readonly identities: number;
  /** How often somebody was told to come back, and did. */
  readonly retries: number;
  readonly refusals: Readonly<Record<string, number>>;
}

/** `count` identities with a key and a token each. */
export async function stormCallers(
  count: number,
  { token }: Pick<Awaited<ReturnType<typeof tokenIssuer>>, 'token'>,
): Promise<Storm['callers']> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => ({
      token: await token({ account: `storm-${i}` }),
      csr: await createCsr({ key: await generateKeyPair('ec-p256') }),
    })),
  );
}

const script = fileURLToPath(new URL('./storm-process.ts', import.meta.url));
const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Lets it loose from a process of its own. */
export async function letLoose(storm: Storm): Promise<StormResult> {
  const stdio = ['pipe', 'pipe', 'inherit'] as const;
  const child = spawn(process.execPath, ['--import', 'tsx', script], { cwd: repository, stdio: [...stdio] });
  child.stdin?.end(JSON.stringify(storm));
  if (child.stdout === null) throw new Error('the storm has no stdout');
  return JSON.parse(await text(child.stdout)) as StormResult;
}
