import { aclOfToken, hasNoOwner } from '../../core/authenticate.ts';
import type { Context, Route } from '../../core/backend.ts';
import { listOf, textOf } from '../../core/fields.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import type { TokenEntry } from '../../core/token-entry.ts';

/** What a token may do, for one or more paths. */
export function capabilityRoutes(): Route[] {
  const fields = { path: 'list', paths: 'list', token: 'string', accessor: 'string' } as const;
  return [
    {
      path: 'capabilities-self',
      fields,
      operations: { update: (context) => answer(context, context.auth?.token) },
    },
    { path: 'capabilities', fields, operations: { update: (context) => answer(context, byToken(context)) } },
    {
      path: 'capabilities-accessor',
      fields,
      operations: { update: (context) => answer(context, byAccessor(context)) },
    },
  ];
}

function byToken({ services, transaction, fields, clock }: Context): TokenEntry | undefined {
  return services.tokens.findToken(transaction, textOf(fields, 'token'), clock.now());
}

function byAccessor({ services, transaction, fields }: Context): TokenEntry {
  const accessor = textOf(fields, 'accessor');
  if (accessor === '') throw refuse('missing accessor');
  const token = services.tokens.findByAccessor(transaction, accessor);
  if (token === undefined) throw refuseWrapped('invalid accessor', 400, 'accessor-unknown');
  return token;
}

function answer({ services, transaction, fields }: Context, token: TokenEntry | undefined): Result {
  const paths = [...listOf(fields, 'paths'), ...listOf(fields, 'path')];
  if (paths.length === 0) throw refuse('paths must be supplied');
  if (token === undefined || hasNoOwner(transaction, token))
    throw refuseWrapped('invalid token', 400, 'token-unknown');
  const acl = aclOfToken(services, transaction, token);
  const data: Record<string, readonly string[]> = {};
  for (const path of paths) data[path] = acl.capabilities(path.replace(/^\/+/, ''));
  const [first] = paths;
  if (paths.length === 1 && first !== undefined) data.capabilities = data[first] ?? [];
  return { data, flatten: true };
}
