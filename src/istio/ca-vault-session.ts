import { readFile } from 'node:fs/promises';
import { VaultClient } from '../client/vault-client.ts';
import { VaultError } from '../client/vault-error.ts';
import type { VaultResponse } from '../client/vault-response.ts';
import type { Clock } from '../lib/clock.ts';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';

/** How the CA gets its Vault token: a file that somebody keeps fresh, or the pod's own service-account token. */
export type VaultLogin =
  | { readonly tokenFile: string }
  | { readonly authPath: string; readonly role: string; readonly jwtFile: string };

export interface VaultSessionOptions {
  readonly address: string;
  readonly caCert?: string | undefined;
  readonly namespace?: string | undefined;
  readonly login: VaultLogin;
  readonly clock: Clock;
  /** Of one exchange, in ms. */
  readonly timeout?: number;
}

/** A Vault with a token that is renewed by logging in again at two thirds of its life, or when Vault refuses it. */
export class VaultSession {
  readonly #options: VaultSessionOptions;
  readonly #client: VaultClient;
  #current: { client: VaultClient; until: number } | undefined;
  #pending: Promise<VaultClient> | undefined;

  constructor(options: VaultSessionOptions) {
    this.#options = options;
    const { address, caCert, namespace, timeout = 4000 } = options;
    this.#client = new VaultClient({
      address,
      timeoutMs: timeout,
      retries: 0, // the breaker decides, and agents try again by themselves
      ...(caCert === undefined ? {} : { caCert }),
      ...(namespace === undefined ? {} : { namespace }),
    });
  }

  /** @throws VaultError; a refused token is replaced once before it counts as refused */
  async write(path: string, data: Readonly<Record<string, unknown>>): Promise<VaultResponse | undefined> {
    return this.#with((client) => client.write(path, data));
  }

  async read(path: string): Promise<VaultResponse | undefined> {
    return this.#with((client) => client.read(path));
  }

  close(): void {
    this.#client.close();
  }

  async #with<T>(ask: (client: VaultClient) => Promise<T>): Promise<T> {
    const client = await this.#ready();
    try {
      return await ask(client);
    } catch (error) {
      if (!(error instanceof VaultError) || error.status !== 403) throw error;
      if (this.#current?.client === client) this.#current = undefined;
      return ask(await this.#ready());
    }
  }

  #ready(): Promise<VaultClient> {
    const { clock } = this.#options;
    if (this.#current !== undefined && this.#current.until > clock.now())
      return Promise.resolve(this.#current.client);
    this.#pending ??= this.#login().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #login(): Promise<VaultClient> {
    const { login, clock } = this.#options;
    const now = clock.now();
    if ('tokenFile' in login) {
      const client = this.#client.withToken(new Secret(await textOf(login.tokenFile)));
      this.#current = { client, until: now + 10_000 }; // whoever keeps the file may replace it at any time
      return client;
    }
    const jwt = await textOf(login.jwtFile);
    const answer = await this.#client.write(`auth/${login.authPath}/login`, { role: login.role, jwt });
    const auth = answer?.auth;
    if (auth === undefined || auth === null)
      throw new MeshrootError('vault-login', `auth/${login.authPath}/login gave no token`, { exit: 1 });
    const client = this.#client.withToken(new Secret(auth.client_token));
    this.#current = {
      client,
      until: now + (auth.lease_duration > 0 ? (auth.lease_duration * 2000) / 3 : 3_600_000),
    };
    return client;
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new MeshrootError('vault-login', `cannot read ${path}: ${codeOf(error) ?? messageOf(error)}`, {
      exit: 1,
    });
  }
}
