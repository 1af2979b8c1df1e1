import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, listOf, numberOf, textOf } from '../../core/fields.ts';
import { fullPath } from '../../core/mount-entry.ts';
import {
  type defaultQuotaConfig,
  type QuotaConfig,
  quotaConfigPath,
  quotaPrefix,
  type RateQuota,
} from '../../core/rate-quotas.ts';
import { nothingHere, refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import type { Services } from '../../core/services.ts';

/** Auth methods whose login names its role in a field. */
const withRoles = ['kubernetes', 'jwt'];

/** Limits of requests by address. */
export function quotaRoutes(): Route[] {
  return [
    {
      path: 'quotas/config',
      fields: {
        enable_rate_limit_audit_logging: 'bool',
        enable_rate_limit_response_headers: 'bool',
        rate_limit_exempt_paths: 'list',
      },
      operations: { read: ({ services }) => ({ data: { ...services.quotas.config } }), update: configure },
    },
    { path: 'quotas/rate-limit', operations: { list: names } },
    {
      path: 'quotas/rate-limit/:name',
      fields: {
        path: 'string',
        role: 'string',
        rate: 'any',
        interval: 'seconds',
        block_interval: 'seconds',
        inheritable: 'bool',
      },
      operations: { read, update: write, delete: remove },
    },
  ];
}

function configure({ services, transaction, fields }: Context): undefined {
  const config: QuotaConfig = {
    enable_rate_limit_audit_logging: booleanOf(fields, 'enable_rate_limit_audit_logging'),
    enable_rate_limit_response_headers: booleanOf(fields, 'enable_rate_limit_response_headers'),
    rate_limit_exempt_paths:
      'rate_limit_exempt_paths' in fields
        ? listOf(fields, 'rate_limit_exempt_paths')
        : services.quotas.config.rate_limit_exempt_paths,
  };
  transaction.put(quotaConfigPath, config satisfies typeof defaultQuotaConfig);
  transaction.afterCommit(() => {
    services.quotas.config = config;
  });
}

function names({ services }: Context): Result {
  const keys = services.quotas.all().map(({ name }) => name);
  if (keys.length === 0) throw nothingHere();
  return { data: { keys: keys.sort() } };
}

function read({ services, fields }: Context): Result | undefined {
  const quota = services.quotas.get(textOf(fields, 'name'));
  return quota === undefined ? undefined : { data: { type: 'rate-limit', ...quota } };
}

function write({ services, transaction, fields }: Context): undefined {
  const quota = { name: textOf(fields, 'name'), ...quotaOf(fields) };
  checkTarget(services, quota);
  const twin = services.quotas
    .all()
    .find(({ name, path, role }) => name !== quota.name && path === quota.path && role === quota.role);
  if (twin !== undefined)
    throw refuse(`quota rule with similar properties exists under the name "${twin.name}"`);
  transaction.put(quotaPrefix + quota.name, quota);
  transaction.afterCommit(() => services.quotas.set(quota));
}

function quotaOf(fields: Context['fields']): Omit<RateQuota, 'name'> {
  const rate = Number(fields.rate);
  if (!(rate > 0 && rate < 1e9)) throw refuse("'rate' is invalid");
  const block = numberOf(fields, 'block_interval');
  if (block < 0) throw refuse("'block' is invalid");
  const path = textOf(fields, 'path').replace(/^\/+|\/+$/g, '');
  return {
    path: path === '' ? '' : `${path}/`,
    role: textOf(fields, 'role'),
    rate,
    interval: Math.max(1, numberOf(fields, 'interval', 1)),
    block_interval: block,
    inheritable: booleanOf(fields, 'inheritable', path === ''),
  };
}

/** What is limited must be there, and a role needs a login that names one. */
function checkTarget({ router }: Services, { path, role }: RateQuota): void {
  const mounted = router.find(path);
  if (path !== '' && mounted === undefined) throw refuse(`invalid mount path "${path}"`);
  if (role === '') return;
  if (mounted?.entry.kind !== 'auth' || fullPath(mounted.entry) !== path) {
    throw refuse(
      `Mount path "${path}" is not a valid auth method and therefore unsuitable for use with role-based quotas`,
    );
  }
  if (!withRoles.includes(mounted.entry.type)) {
    throw refuse(`Mount path "${path}" does not support use with role-based quotas`);
  }
}

function remove({ services, transaction, fields }: Context): undefined {
  const name = textOf(fields, 'name');
  transaction.delete(quotaPrefix + name);
  transaction.afterCommit(() => services.quotas.delete(name));
}
