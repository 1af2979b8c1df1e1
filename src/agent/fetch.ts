import { readFile } from 'node:fs/promises';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import type { FetchedPems } from './pki/fetched-pems.ts';
import { type Dependency, dependencyName } from './template/functions/vault.ts';
import { type FetchedSecret, secretValue } from './template/secret-value.ts';
import { fromUtf8 } from './template/values.ts';
import type { VaultAccess } from './vault-access.ts';

export type Fetched =
  | { readonly kind: 'secret'; readonly secret: FetchedSecret; readonly text: string }
  | { readonly kind: 'list'; readonly keys: readonly string[] }
  | { readonly kind: 'file'; readonly text: string }
  | FetchedPems;

/** Says that a mount could not be looked up, so that KV version 1 was assumed. */
export type WarnNotKv2 = (path: string, reason: string) => void;

export interface FetcherOptions {
  readonly access: VaultAccess;
  readonly token: Secret<string>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Part of a certificate's life after which `pkiCert` asks for another. */
  readonly renewAfter: number;
  readonly warn: WarnNotKv2;
}

/** Gets what templates need: one read per path, whatever number of templates share it. */
export class Fetcher {
  readonly #o: FetcherOptions;
  readonly #access: VaultAccess;
  readonly #token: Secret<string>;
  readonly #warn: WarnNotKv2;
  /** Mount path with slash of what turned out to be KV version 2, `''` for the rest, by secret path. */
  readonly #kv2Mounts = new Map<string, string>();

  constructor(options: FetcherOptions) {
    this.#o = options;
    this.#access = options.access;
    this.#token = options.token;
    this.#warn = options.warn;
  }

  /** @throws MeshrootError with the text consul-template logs, `vault.read(p): …` */
  async fetch(dependency: Dependency): Promise<Fetched> {
    switch (dependency.kind) {
      case 'secret':
        return this.#read(dependency);
      case 'write':
        return this.#write(dependency);
      case 'list':
        return this.#list(dependency);
      case 'file':
        return { kind: 'file', text: (await readFile(dependency.path)).toString('latin1') };
      case 'pki':
      case 'istio-ca':
        return this.#issued(dependency);
    }
  }

  async #issued(dependency: Dependency & { kind: 'pki' | 'istio-ca' }): Promise<Fetched> {
    const ask = async (body: object): Promise<Readonly<Record<string, unknown>>> => {
      const text = await this.#call(dependency, 'PUT', encoded(dependency.path), body);
      return (JSON.parse(text || '{}') as { data?: Record<string, unknown> }).data ?? {};
    };
    const { place, data } = dependency;
    const now = this.#o.clock.now();
    if (dependency.kind === 'istio-ca') {
      const { fetchIstioCa } = await import('./pki/istio-ca.ts');
      return fetchIstioCa({ folder: place, settings: data, sign: ask, now, random: this.#o.random() });
    }
    const { fetchPkiCert } = await import('./pki/pki-cert.ts');
    const { renewAfter } = this.#o;
    return fetchPkiCert({ destination: place, issue: () => ask(data), now, renewAfter });
  }

  async #read(dependency: Dependency & { kind: 'secret' }): Promise<Fetched> {
    const [path = '', query] = dependency.path.split('?', 2);
    const mount = await this.#kv2Mount(path);
    const actual = mount === '' ? path : withData(path, mount);
    const text = await this.#call(
      dependency,
      'GET',
      `${encoded(actual)}${query === undefined ? '' : `?${query}`}`,
    );
    const secret = secretValue(fromUtf8(text));
    if (mount !== '' && isDeleted(text)) throw missing(dependency);
    return { kind: 'secret', secret, text };
  }

  async #write(dependency: Dependency & { kind: 'write' }): Promise<Fetched> {
    const mount = await this.#kv2Mount(dependency.path);
    const path = mount === '' ? dependency.path : withData(dependency.path, mount);
    const body = mount === '' ? dependency.data : { data: dependency.data };
    const text = await this.#call(dependency, 'PUT', encoded(path), body);
    return { kind: 'secret', secret: secretValue(text === '' ? '{}' : fromUtf8(text)), text };
  }

  async #list(dependency: Dependency & { kind: 'list' }): Promise<Fetched> {
    const mount = await this.#kv2Mount(dependency.path);
    const path = mount === '' ? dependency.path : withData(dependency.path, mount, 'metadata');
    const text = await this.#call(dependency, 'GET', `${encoded(path)}?list=true`);
    const body = JSON.parse(text) as { data?: { keys?: unknown[] } };
    return { kind: 'list', keys: (body.data?.keys ?? []).map(String).sort() };
  }

  async #call(dependency: Dependency, method: string, path: string, body?: unknown): Promise<string> {
    const { status, text } = await this.#access.send(method, path, this.#token, body);
    if (status >= 200 && status < 300) return text;
    if (status === 404) throw missing(dependency);
    throw new MeshrootError(
      'template-read',
      `${dependencyName(dependency)}: ${answerText(status, method, path, text)}`,
      {
        exit: 1,
        status,
        ...(status === 403 ? { hint: `does a policy of the role allow "${path}"?` } : {}),
      },
    );
  }

  /** Asks the store which mount a path lies in; what cannot be asked counts as version 1, as upstream. */
  async #kv2Mount(path: string): Promise<string> {
    const known = this.#kv2Mounts.get(path);
    if (known !== undefined) return known;
    const mount = await this.#lookUpMount(path);
    this.#kv2Mounts.set(path, mount);
    return mount;
  }

  async #lookUpMount(path: string): Promise<string> {
    const { status, text } = await this.#access.send(
      'GET',
      `sys/internal/ui/mounts/${encoded(path)}`,
      this.#token,
    );
    if (status !== 200) {
      if (status !== 404) this.#warn(path, answerText(status, 'GET', `sys/internal/ui/mounts/${path}`, text));
      return '';
    }
    const { data } = JSON.parse(text) as { data?: { path?: string; options?: { version?: string } | null } };
    return data?.options?.version === '2' ? (data.path ?? '') : '';
  }
}

function encoded(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function withData(path: string, mount: string, word = 'data'): string {
  if (`${path}/` === mount) return mount + word; // the mount itself, as lists ask for it
  const inner = path.startsWith(mount) ? path.slice(mount.length) : path;
  return /^(data|metadata|subkeys)(\/|$)/.test(inner) ? path : `${mount}${word}/${inner}`;
}

function isDeleted(text: string): boolean {
  const { data } = JSON.parse(text) as { data?: { data?: unknown } };
  return data !== undefined && 'data' in data && data.data === null;
}

function missing(dependency: Dependency): MeshrootError {
  const name = dependencyName(dependency);
  return new MeshrootError(
    'template-read',
    `${name}: no secret exists at ${'path' in dependency ? dependency.path : ''}`,
    {
      exit: 1,
      hint: 'was it written, and does the token see the right namespace?',
    },
  );
}

function answerText(status: number, method: string, path: string, text: string): string {
  let errors: readonly unknown[] = [];
  try {
    errors = (JSON.parse(text) as { errors?: unknown[] }).errors ?? [];
  } catch {
    // not JSON: the status has to do
  }
  const reason = errors
    .map((e) =>
      String(e)
        .replace(/\s*\n\s*/g, ' ')
        .trim(),
    )
    .join('; ');
  return `${status} from ${method} /v1/${path}${reason === '' ? '' : `: ${reason}`}`;
}
