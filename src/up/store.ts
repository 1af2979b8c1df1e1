import { mkdir, readFile } from 'node:fs/promises';
import { VaultClient } from '../client/vault-client.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';
import { Secret } from '../lib/secret.ts';
import { type Child, type ChildRegistry, lastLines, startChild } from './child.ts';
import type { StateFolder } from './state-folder.ts';

/** How long a store may take from exec to its first answer, milliseconds. */
const startPatience = 20_000;

export interface StoreOptions {
  readonly folder: StateFolder;
  readonly port: number;
  /** `[program, ...arguments]` up to `server`: ours, or a real vault or bao. */
  readonly program: readonly string[];
  readonly registry: ChildRegistry;
  readonly clock: Clock;
  readonly env: Record<string, string>;
}

/** The external store of the mesh: a process of its own, durable, encrypted, with a file audit device. */
export class Store {
  readonly address: string;
  readonly auditLog: string;
  readonly tokenFile: string;
  readonly #options: StoreOptions;
  #child: Child | undefined;
  #client: VaultClient;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.address = `http://127.0.0.1:${options.port}`;
    this.auditLog = options.folder.file('audit.log');
    this.tokenFile = options.folder.file('vault-token');
    this.#client = new VaultClient({ address: this.address, clock: options.clock });
  }

  /** With the root token; call after `start`. */
  get client(): VaultClient {
    return this.#client;
  }

  /** Starts, initialises (the first time), unseals and switches the audit log on. */
  async start(): Promise<void> {
    const { folder } = this.#options;
    await mkdir(folder.file('store'), { recursive: true, mode: 0o700 });
    await writeFileAtomic(folder.file('store.hcl'), this.#config());
    await this.#launch();
    await this.#initialise();
    await this.#unseal();
    const token = new Secret((await readFile(this.tokenFile, 'utf8')).trim());
    this.#client = this.#client.withToken(token);
    await this.#enableAudit();
  }

  /** As after a power cut: killed without a word, started again, unsealed. */
  async crashAndRestart(): Promise<{ sealedBetween: boolean }> {
    await this.#child?.stop('SIGKILL');
    await this.#launch();
    const { body } = await this.#client.request('GET', 'sys/seal-status');
    await this.#unseal();
    return { sealedBetween: isRecord(body) && body.sealed === true };
  }

  async stop(): Promise<void> {
    this.#client.close();
    await this.#child?.stop('SIGTERM');
  }

  async #launch(): Promise<void> {
    const { program, folder, registry, env } = this.#options;
    this.#child = await startChild([...program, `-config=${folder.file('store.hcl')}`], {
      env,
      registry,
      cwd: folder.path,
      logFile: folder.file('store.log'),
    });
    await this.#answers(this.#child);
  }

  async #answers(child: Child): Promise<void> {
    const { clock } = this.#options;
    const until = clock.now() + startPatience;
    const probe = new VaultClient({ address: this.address, retries: 0, timeoutMs: 2000 });
    const ended = child.exited.then((code) => ({ code }));
    for (;;) {
      const answer = await Promise.race([
        ended,
        probe.request('GET', 'sys/seal-status').catch(() => undefined),
      ]);
      if (answer !== undefined && 'status' in answer && answer.status === 200) break;
      if ((answer !== undefined && 'code' in answer) || clock.now() > until) {
        throw new MeshrootError(
          'store-not-started',
          `the store did not start: ${await lastLines(child.logFile, 1)}`,
          {
            hint: `its log: ${child.logFile}`,
          },
        );
      }
      await clock.sleep(25);
    }
    probe.close();
  }

  async #initialise(): Promise<void> {
    const { folder } = this.#options;
    const status = await this.#client.request('GET', 'sys/init');
    if (isRecord(status.body) && status.body.initialized === true) return;
    const { body } = await this.#client.request('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 });
    const keys = isRecord(body) && Array.isArray(body.keys_base64) ? body.keys_base64 : [];
    if (!isRecord(body) || typeof body.root_token !== 'string' || typeof keys[0] !== 'string') {
      throw new MeshrootError('store-not-initialised', 'the store could not be initialised', {
        hint: 'see store.log',
      });
    }
    // Beside the store, so that the next `up` on this folder opens it: right for a laptop, stated in SECURITY.md.
    await writeFileAtomic(folder.file('unseal-key'), `${keys[0]}\n`);
    await writeFileAtomic(this.tokenFile, `${body.root_token}\n`);
  }

  async #unseal(): Promise<void> {
    const { folder } = this.#options;
    const key = (await readFile(folder.file('unseal-key'), 'utf8').catch(() => '')).trim();
    const { body } = await this.#client.request('PUT', 'sys/unseal', { key });
    if (isRecord(body) && body.sealed === false) return;
    throw new MeshrootError(
      'store-sealed',
      `the store in ${folder.file('store')} cannot be unsealed with ${folder.file('unseal-key')}`,
      {
        hint: 'put the right key back, or start fresh in another folder: --dir DIR',
      },
    );
  }

  /** Declared in the configuration where the store allows that; by the API for a HashiCorp Vault. */
  async #enableAudit(): Promise<void> {
    const devices = (await this.#client.read('sys/audit'))?.data ?? {};
    if (Object.keys(devices).length > 0) return;
    await this.#client.write('sys/audit/file', { type: 'file', options: { file_path: this.auditLog } });
  }

  #config(): string {
    const { folder, port } = this.#options;
    return `# written by meshroot up
disable_mlock = true
api_addr      = "${this.address}"
listener "tcp" {
  address     = "127.0.0.1:${port}"
  tls_disable = true
}
storage "file" {
  path = ${JSON.stringify(folder.file('store'))}
}
audit "file" "file" {
  options = {
    file_path = ${JSON.stringify(this.auditLog)}
  }
}
`;
  }
}
