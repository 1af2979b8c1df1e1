import { messageOf } from '../../lib/errors.ts';
import { refuse } from '../core/refusal.ts';
import type { StorageView, Transaction } from '../core/storage.ts';
import { Acl } from './acl.ts';
import { defaultPolicyText, wrappingPolicyName, wrappingPolicyText } from './builtin-policies.ts';
import { parsePolicy } from './parse-policy.ts';
import type { Policy } from './policy.ts';
import { type Caller, isTemplate, resolveRule } from './templates.ts';

const prefix = 'sys/policy/';

/** A policy as it was last written; those of older stores and the built-in ones have no version. */
export interface StoredPolicy {
  readonly text: string;
  readonly version?: number;
  readonly casRequired?: boolean;
  /** Milliseconds. */
  readonly modified?: number;
  /** Milliseconds: from then on it is as if it were not there. */
  readonly expires?: number | undefined;
}

/** What a writer says about the version that it knows. */
export interface PolicyChange {
  readonly text: string;
  /** The version that it replaces, -1 for none; undefined when nothing was said. */
  readonly cas: number | undefined;
  /** Whether later writers must say it. */
  readonly casRequired: boolean;
  /** Milliseconds; undefined for a policy that stays. */
  readonly expires: number | undefined;
  /** Milliseconds. */
  readonly now: number;
}

/** Policies at rest, and compiled ones in memory; a change of any policy drops what was compiled. */
export class PolicyStore {
  readonly #parsed = new Map<string, Policy>();
  readonly #acls = new Map<string, Acl>();

  /** Of the first start: the default policy, which people may change. */
  static seed(store: StorageView): void {
    store.put(`${prefix}default`, { text: defaultPolicyText } satisfies StoredPolicy);
  }

  /** `root` has an empty text, as Vault shows it. @param now milliseconds */
  read(store: StorageView, name: string, now: number): StoredPolicy | undefined {
    if (name === 'root') return { text: '' };
    if (name === wrappingPolicyName) return { text: wrappingPolicyText };
    const stored = store.get<StoredPolicy>(prefix + name);
    return stored?.expires !== undefined && stored.expires <= now ? undefined : stored;
  }

  names(store: StorageView, now: number): string[] {
    const names = store.all(prefix).filter((name) => this.read(store, name, now) !== undefined);
    return [...names, 'root'].sort();
  }

  /** @throws Refusal 400 when it cannot be parsed, must not be changed, or was changed by somebody else */
  write(transaction: Transaction, name: string, change: PolicyChange): void {
    const { text, cas, casRequired, expires, now } = change;
    if (name === 'root' || name === wrappingPolicyName) throw refuse(`cannot update "${name}" policy`);
    try {
      parsePolicy(text);
    } catch (error) {
      throw refuse(`failed to parse policy: ${messageOf(error)}`, 400, 'bad-policy');
    }
    const before = this.read(transaction, name, now);
    checkVersion(before, cas, casRequired);
    const version = (before?.version ?? 0) + 1;
    const next: StoredPolicy = { text, version, casRequired, modified: now, expires };
    transaction.put(prefix + name, next);
    transaction.afterCommit(() => this.#forget());
  }

  /** @throws Refusal 400 for the built-in ones */
  delete(transaction: Transaction, name: string): void {
    if (name === 'default') throw refuse('cannot delete default policy');
    if (name === 'root' || name === wrappingPolicyName) throw refuse(`cannot delete "${name}" policy`);
    transaction.delete(prefix + name);
    transaction.afterCommit(() => this.#forget());
  }

  /** The compiled rules of a token with these policies, for this caller; unknown names grant nothing. */
  aclOf(store: StorageView, names: readonly string[], now: number, entity?: Caller): Acl {
    const plainKey = names.join('\0');
    const plain = this.#fresh(plainKey, now);
    if (plain !== undefined) return plain;
    const key = entity === undefined ? plainKey : `${plainKey}\0\0${entity.id}\0${entity.version}`;
    const known = this.#fresh(key, now);
    if (known !== undefined) return known;
    const policies = names.flatMap((name) => this.#policy(store, name, now) ?? []);
    const isPersonal = policies.some(({ rules }) => rules.some(({ path }) => isTemplate(path)));
    const acl = new Acl(isPersonal ? policies.map((policy) => personal(policy, entity)) : policies, now);
    if (this.#acls.size > 5000) this.#acls.clear();
    // Without templates all callers share one; with them each has its own, and nobody else's is found.
    if (!isPersonal || entity !== undefined) this.#acls.set(isPersonal ? key : plainKey, acl);
    return acl;
  }

  #fresh(key: string, now: number): Acl | undefined {
    const acl = this.#acls.get(key);
    return acl !== undefined && now < acl.until ? acl : undefined;
  }

  #policy(store: StorageView, name: string, now: number): Policy | undefined {
    const known = this.#parsed.get(name);
    if (known !== undefined) return known.expires !== undefined && known.expires <= now ? undefined : known;
    const stored = this.read(store, name, now);
    if (stored === undefined) return undefined;
    const rules = name === 'root' ? [] : parsePolicy(stored.text);
    const policy: Policy = { name, rules, expires: stored.expires };
    this.#parsed.set(name, policy);
    return policy;
  }

  #forget(): void {
    this.#parsed.clear();
    this.#acls.clear();
  }
}

function checkVersion(before: StoredPolicy | undefined, cas: number | undefined, required: boolean): void {
  if (cas === undefined) {
    if (required || before?.casRequired === true)
      throw refuse('check-and-set parameter required for this call', 400, 'cas-required');
    return;
  }
  if (cas === -1) {
    if (before !== undefined) throw refuse('check-and-set parameter set to -1 on existing entry', 400, 'cas');
  } else if (cas !== (before?.version ?? 0)) {
    throw refuse('check-and-set parameter did not match the current version', 400, 'cas');
  }
}

const personal = ({ name, rules, expires }: Policy, entity: Caller | undefined): Policy => ({
  name,
  expires,
  rules: rules.flatMap((rule) => resolveRule(rule, entity) ?? []),
});
