import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { VaultClient } from '../src/client/vault-client.ts';
import { Secret } from '../src/lib/secret.ts';

const bin = new URL('../bin/meshroot', import.meta.url).pathname;

export interface StoreKeys {
  readonly key: string;
  readonly token: Secret<string>;
}

/** A store as a process of its own, with its data and configuration below `folder`. */
export class StoreProcess {
  readonly #folder: string;
  #child: ChildProcess | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    const listener = `listener "tcp" {\n  address = "127.0.0.1:0"\n  tls_disable = true\n}\n`;
    writeFileSync(join(folder, 'vault.hcl'), `${listener}storage "lmdb" { path = "${folder}/data" }\n`);
  }

  /** @returns its address as soon as it listens */
  async start(): Promise<string> {
    const child = spawn(
      process.execPath,
      [bin, 'vault', 'server', `-config=${join(this.#folder, 'vault.hcl')}`],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    this.#child = child;
    let said = '';
    for await (const line of createInterface({ input: child.stderr })) {
      const address = /listening: address=(\S+)/.exec(line)?.[1];
      said = line;
      if (address === undefined) continue;
      child.stderr.resume();
      return address;
    }
    await this.gone();
    throw new Error(`the store did not start (exit ${child.exitCode ?? child.signalCode}): ${said}`);
  }

  /** Starts and unseals. */
  async open({ key, token }: StoreKeys): Promise<VaultClient> {
    const client = new VaultClient({ address: await this.start(), token, retries: 0 });
    await client.write('sys/unseal', { key });
    return client;
  }

  /** Starts a fresh store, initialises and unseals it, mounts `kv/`. */
  async initialise(): Promise<{ client: VaultClient; keys: StoreKeys }> {
    const client = new VaultClient({ address: await this.start(), retries: 0 });
    const { body } = await client.request('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 });
    const { keys_base64, root_token } = body as { keys_base64: string[]; root_token: string };
    const keys = { key: keys_base64[0] ?? '', token: new Secret(root_token) };
    await client.write('sys/unseal', { key: keys.key });
    const root = client.withToken(keys.token);
    await root.write('sys/mounts/kv', { type: 'kv' });
    return { client: root, keys };
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): void {
    this.#child?.kill(signal);
  }

  async gone(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null)
      await once(child, 'exit');
  }
}
