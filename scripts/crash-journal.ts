import type { VaultClient } from '../src/client/vault-client.ts';
import { MeshrootError } from '../src/lib/errors.ts';
import { Secret } from '../src/lib/secret.ts';

/** The value that was last acknowledged, and the one that was on its way when the store was killed. */
interface Written {
  readonly acknowledged: string | undefined;
  readonly underway?: string | undefined;
}

/** A token and its child: there until their end was asked for, gone when that was acknowledged. */
interface Family {
  readonly token: string;
  readonly child: string;
  end: 'not asked' | 'underway' | 'acknowledged';
}

interface Mount {
  end: 'not asked' | 'underway' | 'acknowledged';
}

/**
 * What the store has acknowledged: written down after the answer came. What may be there without is written down before it
 * is sent: one value at most for each path, since each lane has its own paths and waits for each answer. The journal is
 * in a process that nobody kills, so that it needs no disk.
 */
export class CrashJournal {
  /** By path: entries of the engine of one version, of the one of many versions, policies. */
  readonly values = new Map<string, Written>();
  readonly families: Family[] = [];
  readonly mounts = new Map<string, Mount>();
  readonly #fresh = new Set<string>();
  #count = 0;
  #bell = { at: Number.POSITIVE_INFINITY, ring: () => {} };

  get size(): number {
    return this.#count;
  }

  /** @param ring is called once, when so many changes more are acknowledged */
  after(more: number, ring: () => void): void {
    this.#bell = { at: this.#count + more, ring };
  }

  #note(changes: number): void {
    this.#count += changes;
    if (this.#count < this.#bell.at) return;
    const { ring } = this.#bell;
    this.#bell = { at: Number.POSITIVE_INFINITY, ring: () => {} };
    ring();
  }

  /** @param send makes the change; what it throws leaves the change on its way */
  async write(path: string, value: string, send: () => Promise<unknown>): Promise<void> {
    this.#fresh.add(path);
    this.values.set(path, { acknowledged: this.values.get(path)?.acknowledged, underway: value });
    await send();
    this.values.set(path, { acknowledged: value });
    this.#note(1);
  }

  /** @param send ends it */
  async end(what: Family | Mount, send: () => Promise<unknown>): Promise<void> {
    what.end = 'underway';
    await send();
    what.end = 'acknowledged';
    this.#note(1);
  }

  noteMount(name: string): Mount {
    const mount: Mount = { end: 'not asked' };
    this.mounts.set(name, mount);
    this.#note(1);
    return mount;
  }

  noteFamily(token: string, child: string): Family {
    const family: Family = { token, child, end: 'not asked' };
    this.families.push(family);
    this.#note(2);
    return family;
  }

  /** What was written since the last check, every mount, and the tokens made lately. @throws Error naming what is lost */
  async check(client: VaultClient): Promise<void> {
    await this.#check(client, [...this.#fresh], this.families.slice(-20));
    this.#fresh.clear();
  }

  /** Everything. */
  async checkAll(client: VaultClient): Promise<void> {
    await this.#check(client, [...this.values.keys()], this.families);
  }

  async #check(client: VaultClient, paths: readonly string[], families: readonly Family[]): Promise<void> {
    for (const path of paths) await this.#checkValue(client, path);
    await this.#checkMounts(client);
    for (const family of families) await checkFamily(client, family);
  }

  async #checkValue(client: VaultClient, path: string): Promise<void> {
    const known = this.values.get(path);
    if (known === undefined) return; // was on its way, and has not arrived
    const found = await readValue(client, path);
    // What was on its way may have arrived before the kill; then it is the value from now on.
    if (found !== known.acknowledged && found !== known.underway) {
      throw new Error(
        `${path} holds ${found}, acknowledged was ${known.acknowledged}, on its way ${known.underway}`,
      );
    }
    if (found === undefined) this.values.delete(path);
    else this.values.set(path, { acknowledged: found });
  }

  /** What is listed works, what was acknowledged is listed, what has ended is not. */
  async #checkMounts(client: VaultClient): Promise<void> {
    const listed = (await client.read('sys/mounts'))?.data ?? {};
    for (const [name, { end }] of this.mounts) {
      const isThere = `${name}/` in listed;
      if (end === 'not asked' && !isThere) throw new Error(`mount ${name} is lost`);
      if (end === 'acknowledged' && isThere) throw new Error(`mount ${name} is there again`);
      if (end !== 'not asked') this.mounts.delete(name);
    }
    const names = Object.keys(listed).filter((path) => path.startsWith('m-'));
    for (const name of names.filter((_, i) => i % 10 === this.#count % 10)) {
      await client.write(`${name}probe`, { a: 'x' });
      if ((await client.read(`${name}probe`))?.data?.a !== 'x') throw new Error(`${name} is half there`);
    }
  }
}

/** `1:` and `2:` are engines, `p:` is a policy. @throws Error when it is half there */
async function readValue(client: VaultClient, path: string): Promise<string | undefined> {
  const [kind, name] = [path.slice(0, 2), path.slice(2)];
  if (kind === 'p:')
    return (await client.read(`sys/policies/acl/${name}`))?.data?.policy as string | undefined;
  if (kind === '1:') {
    const data = (await client.read(`kv/${name}`))?.data;
    if (data?.a !== data?.b) throw new Error(`${path} is half there: ${data?.a} and ${data?.b}`);
    return data?.a as string | undefined;
  }
  // The list of versions and the version itself stand under two keys.
  const listed = (await client.read(`kv2/metadata/${name}`))?.data?.current_version;
  const read = (await client.read(`kv2/data/${name}`))?.data as
    | { data: { a: string }; metadata: { version: number } }
    | undefined;
  if (listed !== read?.metadata.version)
    throw new Error(`${path} is half there: version ${listed} is listed, ${read?.metadata.version} is there`);
  return read?.data.a;
}

async function checkFamily(client: VaultClient, { token, child, end }: Family): Promise<void> {
  const [self, ofChild] = [await isAlive(client, token), await isAlive(client, child)];
  if (self !== ofChild) throw new Error(`of a token and its child one is gone (end ${end})`);
  if (end === 'not asked' && !self) throw new Error('a token is lost');
  if (end === 'acknowledged' && self) throw new Error('a revoked token lives again');
}

/** @throws Error for a token without its lease */
async function isAlive(client: VaultClient, token: string): Promise<boolean> {
  try {
    const self = await client.withToken(new Secret(token)).read('auth/token/lookup-self');
    if (self?.data?.renewable !== true || Number(self.data.ttl) <= 0)
      throw new Error('a token is half there');
    return true;
  } catch (error) {
    if (error instanceof MeshrootError && error.status === 403) return false;
    throw error;
  }
}
