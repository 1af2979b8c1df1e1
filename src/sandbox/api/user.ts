/** Who a request is from, as authentication found out. */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const anonymous: UserInfo = { username: 'system:anonymous', groups: ['system:unauthenticated'] };

/** For the programs of this process: past RBAC, as a real control plane's loopback client. */
export const loopback: UserInfo = {
  username: 'system:apiserver',
  groups: ['system:masters', 'system:authenticated'],
};

/** `system:serviceaccount:NS:NAME` taken apart, or undefined for anyone else. */
export function serviceAccountOf(username: string): { namespace: string; name: string } | undefined {
  const [system, kind, namespace, name, ...more] = username.split(':');
  if (system !== 'system' || kind !== 'serviceaccount' || more.length > 0) return undefined;
  return namespace && name ? { namespace, name } : undefined;
}
