import { randomUUID } from 'node:crypto';
import type { VaultClient } from '../src/client/vault-client.ts';
import { Secret } from '../src/lib/secret.ts';

/** What the store has acknowledged: written down only after the answer came. */
export class CrashJournal {
  /** Path → the value last acknowledged, and the one that was on its way when the store was killed. */
  readonly values = new Map<string, { acknowledged: string; underway: string | undefined }>();
  readonly tokens = new Set<string>();
  readonly mounts = new Set<string>();
  readonly policies = new Map<string, string>();
  #fresh: string[] = [];
  #count = 0;

  get size(): number {
    return this.#count;
  }

  note(path: string): void {
    this.#count++;
    this.#fresh.push(path);
  }

  /** What changed since the last check, every mount, and the tokens made lately. @throws Error naming what is lost */
  async check(client: VaultClient): Promise<void> {
    const fresh = this.#fresh;
    this.#fresh = [];
    // What was on its way is settled before it is written again: a third value would hide which of the two is there.
    const open = [...this.values].filter(([, { underway }]) => underway !== undefined).map(([path]) => path);
    await this.#checkValues(client, new Set([...fresh.filter((path) => this.values.has(path)), ...open]));
    await this.#checkMounts(client);
    await this.#checkTokens(client, [...this.tokens].slice(-20));
  }

  /** Everything. */
  async checkAll(client: VaultClient): Promise<void> {
    await this.#checkValues(client, this.values.keys());
    await this.#checkMounts(client);
    await this.#checkTokens(client, [...this.tokens]);
    for (const [name, text] of this.policies) {
      const found = (await client.read(`sys/policies/acl/${name}`))?.data?.policy;
      if (found !== text) throw new Error(`policy ${name} is lost`);
    }
  }

  async #checkValues(client: VaultClient, paths: Iterable<string>): Promise<void> {
    for (const path of paths) {
      const known = this.values.get(path);
      const data = (await client.read(path))?.data;
      if (data?.a !== data?.b) throw new Error(`${path} is half there: ${data?.a} and ${data?.b}`);
      // What was on its way may have arrived before the kill; then it is the value from now on.
      if (known === undefined || (data?.a !== known.acknowledged && data?.a !== known.underway)) {
        throw new Error(`${path} holds ${data?.a}, acknowledged was ${known?.acknowledged}`);
      }
      this.values.set(path, { acknowledged: String(data?.a), underway: undefined });
    }
  }

  /** Every mount that is listed works, every acknowledged one is listed. */
  async #checkMounts(client: VaultClient): Promise<void> {
    const listed = (await client.read('sys/mounts'))?.data ?? {};
    for (const name of this.mounts) {
      if (!(`${name}/` in listed)) throw new Error(`mount ${name} is lost`);
    }
    for (const name of Object.keys(listed)
      .filter((path) => path.startsWith('m-'))
      .slice(-5)) {
      await client.write(`${name}probe`, { a: 'x', b: 'x' });
    }
  }

  async #checkTokens(client: VaultClient, tokens: readonly string[]): Promise<void> {
    for (const token of tokens) {
      const self = await client.withToken(new Secret(token)).read('auth/token/lookup-self');
      if (self?.data?.renewable !== true) throw new Error('a token is lost or half there');
    }
  }
}

/** Writes until the store is gone. Each lane has paths of its own, so that the last acknowledged value is known. */
export async function writeLane(client: VaultClient, journal: CrashJournal, lane: number): Promise<void> {
  try {
    for (let i = 0; ; i++) await oneChange(client, journal, lane, i);
  } catch (error) {
    if (isGone(error)) return;
    throw error;
  }
}

async function oneChange(client: VaultClient, journal: CrashJournal, lane: number, i: number): Promise<void> {
  if (i % 25 === 24) {
    const name = `m-${lane}-${randomUUID().slice(0, 8)}`;
    await client.write(`sys/mounts/${name}`, { type: 'kv' });
    journal.mounts.add(name);
    return journal.note(name);
  }
  if (i % 10 === 9) {
    const made = await client.write('auth/token/create', { policies: ['default'], ttl: '1h' });
    if (made?.auth) journal.tokens.add(made.auth.client_token);
    return journal.note('token');
  }
  if (i % 10 === 4) {
    const name = `p-${lane}-${randomUUID().slice(0, 8)}`;
    const policy = `path "kv/${name}" {\n  capabilities = ["read"]\n}\n`;
    await client.write(`sys/policies/acl/${name}`, { policy });
    journal.policies.set(name, policy);
    return journal.note(name);
  }
  const path = `kv/${lane}/${i % 40}`;
  const value = randomUUID();
  const before = journal.values.get(path)?.acknowledged;
  if (before !== undefined) journal.values.set(path, { acknowledged: before, underway: value });
  await client.write(path, { a: value, b: value });
  journal.values.set(path, { acknowledged: value, underway: undefined });
  journal.note(path);
}

/** No answer: killed. Anything that the store did answer is not expected here. */
function isGone(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'vault-unreachable';
}
