import type { MethodSettings } from '../config/config.ts';

/**
 * What to look at when the store refused a login; the store itself says little, so that nobody learns from it what exists.
 * @param status of the answer; other than 400, 403 and 404 are no refusals
 */
export function loginHint(
  { mountPath, config }: Pick<MethodSettings, 'mountPath' | 'config'>,
  status: number | undefined,
): string | undefined {
  const role = typeof config.role === 'string' ? `the role "${config.role}"` : 'the role';
  if (status === 404) return `is an auth method mounted at ${mountPath}, in this namespace?`;
  if (status === 400 || status === 403)
    return `is ${role} (still) at ${mountPath}, and bound to who logs in here? the store's log says which`;
  return undefined;
}
