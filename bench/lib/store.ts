import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts, type Program, start } from '../../test/support/program.ts';

export interface BenchStore {
  readonly address: string;
  readonly program: Program;
  /** The root token. */
  readonly token: string;
  /** As the root token. @throws Error with status and answer for anything but 2xx */
  call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** A token with the seed's read-only policy of cluster1. */
  readerToken(): Promise<string>;
}

export interface StoreOptions {
  /** Up to and without `server`. */
  readonly command: readonly string[];
  readonly scratch: string;
  readonly audit?: boolean;
}

/** A store in memory, from a configuration file that ours, OpenBao and Vault read alike; initialised and unsealed. */
export async function startStore({ command, scratch, audit = false }: StoreOptions): Promise<BenchStore> {
  const folder = await mkdtemp(join(scratch, 'store-'));
  const [port = 0] = await freePorts(1);
  const address = `http://127.0.0.1:${port}`;
  await writeFile(
    join(folder, 'store.hcl'),
    configuration(port, audit ? join(folder, 'audit.log') : undefined),
  );
  const program = start([...command, 'server', `-config=${join(folder, 'store.hcl')}`], { cwd: folder });
  await program.until(async () => (await fetch(`${address}/v1/sys/seal-status`)).status === 200);
  let token = '';
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${address}/v1/${path}`, {
      method,
      headers: token === '' ? {} : { 'X-Vault-Token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  };
  const made = await call('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 });
  await call('PUT', 'sys/unseal', { key: (made.keys_base64 as string[])[0] });
  token = String(made.root_token);
  await call('PUT', 'sys/policies/acl/istiod-certs-cluster1', { policy });
  const readerToken = async () => {
    const { auth } = await call('POST', 'auth/token/create', {
      policies: ['istiod-certs-cluster1'],
      ttl: '1h',
    });
    return (auth as { client_token: string }).client_token;
  };
  return { address, program, token, call, readerToken };
}

export const bundlePath = 'kubernetes-cluster1-secrets/istiod-service/certs';
const policy = `path "${bundlePath}" { capabilities = ["read"] }`;

function configuration(port: number, auditFile: string | undefined): string {
  const audit = `audit "file" "file" {\n  options = { file_path = ${JSON.stringify(auditFile)} }\n}\n`;
  return `disable_mlock = true
api_addr = "http://127.0.0.1:${port}"
listener "tcp" {
  address     = "127.0.0.1:${port}"
  tls_disable = true
}
storage "inmem" {}
${auditFile === undefined ? '' : audit}`;
}
