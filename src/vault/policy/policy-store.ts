import { refuse } from '../core/refusal.ts';
import type { StorageView, Transaction } from '../core/storage.ts';
import { Acl } from './acl.ts';
import { defaultPolicyText, wrappingPolicyName, wrappingPolicyText } from './builtin-policies.ts';
import { parsePolicy } from './parse-policy.ts';
import type { Policy } from './policy.ts';

const prefix = 'sys/policy/';

interface StoredPolicy {
  readonly text: string;
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
  read(store: StorageView, name: string): string | undefined {
    if (name === 'root') return '';
    if (name === wrappingPolicyName) return wrappingPolicyText;
    return store.get<StoredPolicy>(prefix + name)?.text;
  }

  names(store: StorageView): string[] {
    return [...store.all(prefix), 'root'].sort();
  }

  /** @throws Refusal 400 when it cannot be parsed or must not be changed */
  write(transaction: Transaction, name: string, text: string): void {
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
    transaction.put(prefix + name, { text } satisfies StoredPolicy);
    transaction.afterCommit(() => this.#forget());
  }

  /** @throws Refusal 400 for the built-in ones */
  delete(transaction: Transaction, name: string): void {
    if (name === 'default') throw refuse('cannot delete default policy');
    if (name === 'root' || name === wrappingPolicyName) throw refuse(`cannot delete "${name}" policy`);
    transaction.delete(prefix + name);
    transaction.afterCommit(() => this.#forget());
  }

  /** The compiled rules of a token with these policies; unknown names grant nothing. */
  aclOf(store: StorageView, names: readonly string[]): Acl {
    const key = names.join(',');
    const known = this.#acls.get(key);
    if (known !== undefined) return known;
    const acl = new Acl(names.flatMap((name) => this.#policy(store, name) ?? []));
    if (this.#acls.size > 5000) this.#acls.clear();
    this.#acls.set(key, acl);
    return acl;
  }

  #policy(store: StorageView, name: string): Policy | undefined {
    const known = this.#parsed.get(name);
    if (known !== undefined) return known;
    const text = this.read(store, name);
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
