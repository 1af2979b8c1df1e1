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
}

/** What a writer says about the version that it knows. */
export interface PolicyChange {
  readonly text: string;
  /** The version that it replaces, -1 for none; undefined when nothing was said. */
  readonly cas: number | undefined;
  /** Whether later writers must say it. */
  readonly casRequired: boolean;
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

  /** `root` has an empty text, as Vault shows it. */
  read(store: StorageView, name: string): StoredPolicy | undefined {
    if (name === 'root') return { text: '' };
    if (name === wrappingPolicyName) return { text: wrappingPolicyText };
    return store.get<StoredPolicy>(prefix + name);
  }

  names(store: StorageView): string[] {
    return [...store.all(prefix), 'root'].sort();
  }

  /** @throws Refusal 400 when it cannot be parsed, must not be changed, or was changed by somebody else */
  write(transaction: Transaction, name: string, { text, cas, casRequired, now }: PolicyChange): void {
    if (name === 'root' || name === wrappingPolicyName) throw refuse(`cannot update "${name}" policy`);
    try {
      parsePolicy(text);
    } catch (error) {
      throw refuse(
        `failed to parse policy: ${error instanceof Error ? error.message : error}`,
        400,
        'bad-policy',
      );
    }
    const before = transaction.get<StoredPolicy>(prefix + name);
    checkVersion(before, cas, casRequired);
    const version = (before?.version ?? 0) + 1;
    const next: StoredPolicy = { text, version, casRequired, modified: now };
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
  aclOf(store: StorageView, names: readonly string[], entity?: Caller): Acl {
    const plainKey = names.join('\0');
    const plain = this.#acls.get(plainKey);
    if (plain !== undefined) return plain;
    const key = entity === undefined ? plainKey : `${plainKey}\0\0${entity.id}\0${entity.version}`;
    const known = this.#acls.get(key);
    if (known !== undefined) return known;
    const policies = names.flatMap((name) => this.#policy(store, name) ?? []);
    const isPersonal = policies.some(({ rules }) => rules.some(({ path }) => isTemplate(path)));
    const acl = new Acl(isPersonal ? policies.map((policy) => personal(policy, entity)) : policies);
    if (this.#acls.size > 5000) this.#acls.clear();
    // Without templates all callers share one; with them each has its own, and nobody else's is found.
    if (!isPersonal || entity !== undefined) this.#acls.set(isPersonal ? key : plainKey, acl);
    return acl;
  }

  #policy(store: StorageView, name: string): Policy | undefined {
    const known = this.#parsed.get(name);
    if (known !== undefined) return known;
    const text = this.read(store, name)?.text;
    if (text === undefined) return undefined;
    const policy = { name, rules: name === 'root' ? [] : parsePolicy(text) };
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

const personal = ({ name, rules }: Policy, entity: Caller | undefined): Policy => ({
  name,
  rules: rules.flatMap((rule) => resolveRule(rule, entity) ?? []),
});
