import { MeshrootError } from '../lib/errors.ts';
import { refusal } from './refusal.ts';

/** What pods of some namespaces may ask for. A list that is absent restricts nothing; `*` in a text is any text. */
export interface PolicyRule {
  readonly namespaces: readonly string[];
  /** Addresses of Vault. */
  readonly stores?: readonly string[] | undefined;
  readonly authPaths?: readonly string[] | undefined;
  readonly roles?: readonly string[] | undefined;
  /** Of the agents, after patches. */
  readonly images?: readonly string[] | undefined;
  /** Agent configurations of the user's own, which can name any store and role; none when absent. */
  readonly configMaps?: readonly string[] | undefined;
  /** Whether `agent-json-patch` may change the agents, which can change anything in them; false when absent. */
  readonly patches?: boolean | undefined;
  /** Whether the certificate of Vault may go unverified; true when absent. */
  readonly skipVerify?: boolean | undefined;
}

/** The first rule that names the namespace decides. */
export interface InjectionPolicy {
  readonly rules: readonly PolicyRule[];
  /** Namespaces that no rule names. */
  readonly otherwise: 'allow' | 'refuse';
}

/** What one pod asks for, defaults of the injector included. */
export interface InjectionWish {
  readonly namespace: string;
  readonly store: string;
  readonly authPath: string;
  readonly role: string;
  readonly images: readonly string[];
  /** Empty: none. */
  readonly configMap: string;
  readonly patched: boolean;
  readonly skipVerify: boolean;
}

/** @throws a refusal with the reason and what is allowed; a guard against mistakes: who may log in is decided by Vault */
export function checkPolicy(policy: InjectionPolicy, wish: InjectionWish): void {
  const { namespace } = wish;
  const index = policy.rules.findIndex((rule) => matchesAny(rule.namespaces, namespace));
  const rule = policy.rules[index];
  if (rule === undefined) {
    if (policy.otherwise === 'allow') return;
    throw refused(
      `no rule allows injection in namespace ${namespace}`,
      'add one to the policy of the injector',
    );
  }
  const where = `rule ${index + 1} of the policy of the injector`;
  const check = (what: string, value: string, allowed: readonly string[] | undefined, mend: string): void => {
    if (allowed === undefined || matchesAny(allowed, value)) return;
    const asked = value === '' ? `names no ${what}` : `may not use ${what} "${value}"`;
    throw refused(
      `namespace ${namespace} ${asked}`,
      `allowed: ${allowed.join(', ') || 'none'} (${where}); ${mend}`,
    );
  };
  if (wish.configMap === '') {
    check('store', wish.store, rule.stores, 'see vault.hashicorp.com/service');
    check('auth path', wish.authPath, rule.authPaths, 'see vault.hashicorp.com/auth-path');
    check('role', wish.role, rule.roles, 'see vault.hashicorp.com/role');
  } else {
    check(
      'agent config map',
      wish.configMap,
      rule.configMaps ?? [],
      'see vault.hashicorp.com/agent-configmap',
    );
  }
  for (const image of wish.images)
    check('agent image', image, rule.images, 'see vault.hashicorp.com/agent-image');
  if (wish.patched && rule.patches !== true)
    throw refused(
      `namespace ${namespace} may not patch the agents`,
      `remove agent-json-patch, or allow patches in ${where}`,
    );
  if (wish.skipVerify && rule.skipVerify === false)
    throw refused(
      `namespace ${namespace} must verify the certificate of Vault`,
      `remove tls-skip-verify (${where})`,
    );
}

function refused(message: string, hint: string): MeshrootError {
  return new MeshrootError(refusal(message).code, message, { hint, exit: 1 });
}

/** `*` stands for any text; everything else for itself. A slash at the end does not matter. */
function matchesAny(patterns: readonly string[], value: string): boolean {
  return patterns.some((pattern) => matches(trimSlash(pattern), trimSlash(value)));
}

/** Linear in both: no pattern of an operator can make admission slow. */
function matches(pattern: string, value: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === value;
  const last = rest.pop() ?? '';
  if (!value.startsWith(first) || value.length < first.length + last.length || !value.endsWith(last))
    return false;
  let at = first.length;
  for (const part of rest) {
    const found = value.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= value.length - last.length;
}

function trimSlash(text: string): string {
  return text.replace(/\/$/, '');
}
