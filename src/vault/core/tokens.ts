import { createHmac } from 'node:crypto';
import type { Random } from './barrier.ts';
import { BatchSeal, batchPrefix } from './batch-token.ts';
import type { LeaseTable } from './leases.ts';
import type { AuthResult } from './request.ts';
import type { StorageView, Transaction } from './storage.ts';
import { fromStoredToken, leaseIdOf, type StoredToken, toStoredToken } from './stored-token.ts';
import type { NewToken, TokenEntry } from './token-entry.ts';

const prefix = 'sys/token/';
/** Of a token that says when it was made, so that those of one time stand side by side on disk. */
const dated = /^hvs\.([0-9A-Za-z]{5})[0-9A-Za-z]{24}$/;
const dateLength = 5;
const accessorLength = 24;
const dateTick = 100;
/** 192 bits of a digest: as many as make a collision unthinkable, and no more on every page of the disk. */
const keyBytes = 24;
const saltPath = `${prefix}salt`;
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export const tokenPath = (key: string): string => `${prefix}id/${key}`;
const accessorPath = (hash: string): string => `${prefix}accessor/${hash}`;
const parentPath = (parent: string, child = ''): string => `${prefix}parent/${parent}/${child}`;
export const cubbyholePrefix = (key: string): string => `sys/cubbyhole/${key}/`;

/** `length` characters of base62 without bias. */
export function randomBase62(length: number, random: Random): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random(length)) {
      if (byte < 248 && text.length < length) text += alphabet[byte % 62];
    }
  }
  return text;
}

/**
 * Five characters that rise with time, and start again after three years: what is made and renewed together is then
 * written to few pages, however many there are. Whoever has the token knows its time anyway.
 */
function dateOf(now: number): string {
  let [rest, text] = [Math.floor(now / dateTick), ''];
  for (let i = 0; i < dateLength; i++) {
    text = alphabet.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** Makes, finds and ends tokens inside a transaction. */
export class TokenStore {
  readonly #salt: Buffer;
  readonly #random: Random;
  readonly #leases: LeaseTable;
  readonly #batch: BatchSeal;

  constructor(salt: Buffer, random: Random, leases: LeaseTable) {
    this.#salt = salt;
    this.#random = random;
    this.#leases = leases;
    this.#batch = new BatchSeal(salt, random);
  }

  static readSalt(store: StorageView): Buffer | undefined {
    const salt = store.get<string>(saltPath);
    return salt === undefined ? undefined : Buffer.from(salt, 'base64');
  }

  static putSalt(store: StorageView, salt: Buffer): void {
    store.put(saltPath, salt.toString('base64'));
  }

  /** The key at rest. The lookup is by this digest, so that its timing says nothing about stored tokens. */
  keyOf(token: string): string {
    return (dated.exec(token)?.[1] ?? '') + this.#digest(token);
  }

  #digest(text: string): string {
    return createHmac('sha256', this.#salt).update(text).digest().toString('base64url', 0, keyBytes);
  }

  /** Older accessors stand where their digest alone says. */
  #accessorPaths(accessor: string): string[] {
    const digest = this.#digest(accessor);
    return [accessorPath(accessor.slice(0, dateLength) + digest), accessorPath(digest)];
  }

  find(store: StorageView, key: string): TokenEntry | undefined {
    const stored = store.get<StoredToken>(tokenPath(key));
    return stored === undefined ? undefined : fromStoredToken(key, stored);
  }

  /** By the token itself, whatever its kind; a batch token ends with its parent. @param now milliseconds */
  findToken(store: StorageView, token: string, now: number): TokenEntry | undefined {
    const key = this.keyOf(token);
    if (!token.startsWith(batchPrefix)) return this.find(store, key);
    const entry = this.#batch.open(token);
    if (entry === undefined || (entry.parent !== '' && !this.#isAlive(store, entry.parent, now))) {
      return undefined;
    }
    return { ...entry, key };
  }

  #isAlive(store: StorageView, key: string, now: number): boolean {
    const entry = this.find(store, key);
    if (entry === undefined || entry.leaseId === '') return entry !== undefined;
    const lease = this.#leases.get(entry.leaseId, store);
    return lease !== undefined && lease.expires > now;
  }

  /** A token that nothing is stored of. */
  createBatch(wanted: NewToken, now: number): { token: string; entry: TokenEntry } {
    const { id: _, ...rest } = wanted;
    const entry = {
      ...rest,
      type: 'batch',
      accessor: '',
      leaseId: '',
      created: now,
      expires: now + rest.ttl,
    } as const;
    const token = this.#batch.seal(entry);
    return { token, entry: { ...entry, key: this.keyOf(token) } };
  }

  findByAccessor(store: StorageView, accessor: string): TokenEntry | undefined {
    for (const path of this.#accessorPaths(accessor)) {
      const key = store.get<string>(path);
      if (key !== undefined) return this.find(store, key);
    }
    return undefined;
  }

  accessors(store: StorageView): string[] {
    return store.list(`${prefix}id/`).flatMap((key) => this.find(store, key)?.accessor ?? []);
  }

  /** Stages token, accessor and lease as one change. */
  create(transaction: Transaction, wanted: NewToken, now: number): { token: string; entry: TokenEntry } {
    const { id, ...rest } = wanted;
    const date = dateOf(now);
    const token = id ?? `hvs.${date}${randomBase62(24, this.#random)}`;
    const key = this.keyOf(token);
    const accessor = date + randomBase62(accessorLength - dateLength, this.#random);
    const leaseId = rest.ttl === 0 ? '' : leaseIdOf(rest.path, key);
    const entry: TokenEntry = { ...rest, key, accessor, created: now, leaseId };
    this.update(transaction, entry);
    transaction.put(this.#accessorPaths(accessor)[0] ?? '', key);
    if (entry.parent !== '') transaction.put(parentPath(entry.parent, key), true);
    if (leaseId !== '') {
      this.#leases.put(transaction, {
        id: leaseId,
        path: rest.path,
        tokenKey: key,
        isToken: true,
        issued: now,
        expires: now + rest.ttl,
        renewable: rest.renewable,
      });
    }
    return { token, entry };
  }

  update(transaction: Transaction, entry: TokenEntry): void {
    transaction.put(tokenPath(entry.key), toStoredToken(entry));
  }

  children(store: StorageView, key: string): string[] {
    return store.list(parentPath(key));
  }

  /** Stages the end of a token, of all below it, of its leases and its cubbyhole. */
  revoke(transaction: Transaction, key: string): void {
    const queue = [key];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      queue.push(...this.children(transaction, next));
      this.#remove(transaction, next);
    }
  }

  /** The children live on without a parent. */
  revokeOrphaning(transaction: Transaction, key: string): void {
    for (const child of this.children(transaction, key)) {
      const entry = this.find(transaction, child);
      if (entry !== undefined) this.update(transaction, { ...entry, parent: '' });
      transaction.delete(parentPath(key, child));
    }
    this.#remove(transaction, key);
  }

  #remove(transaction: Transaction, key: string): void {
    const entry = this.find(transaction, key);
    if (entry === undefined) return;
    transaction.delete(tokenPath(key));
    for (const path of this.#accessorPaths(entry.accessor)) {
      if (transaction.get(path) !== undefined) transaction.delete(path);
    }
    if (entry.parent !== '') transaction.delete(parentPath(entry.parent, key));
    for (const name of transaction.all(cubbyholePrefix(key))) transaction.delete(cubbyholePrefix(key) + name);
    for (const lease of this.#leases.ofToken(transaction, key)) this.#leases.revoke(transaction, lease);
    if (entry.leaseId !== '') this.#leases.delete(transaction, entry.leaseId);
  }
}

/** The `auth` of an answer that hands out or renews `entry`. */
export function authResult(
  entry: TokenEntry,
  token: string,
  ttlMs: number,
  identityPolicies: readonly string[] = [],
): AuthResult {
  const all = new Set([...entry.policies, ...(entry.policies.includes('root') ? [] : identityPolicies)]);
  return {
    client_token: token,
    accessor: entry.accessor,
    policies: [...all].sort(),
    token_policies: entry.policies,
    ...(identityPolicies.length === 0 ? {} : { identity_policies: identityPolicies }),
    metadata: entry.meta,
    lease_duration: Math.floor(ttlMs / 1000),
    renewable: entry.renewable,
    entity_id: entry.entityId ?? '',
    token_type: entry.type ?? 'service',
    orphan: entry.parent === '',
    mfa_requirement: null,
    num_uses: entry.numUses,
  };
}
