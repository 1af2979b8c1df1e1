import type { Context, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { findWrapping, putAside, takeOut } from '../../core/wrapping.ts';

const fields = { token: 'string' } as const;

/** Response wrapping: an answer is put aside under a token that can be used once. */
export function wrappingRoutes(): Route[] {
  return [
    { path: 'wrapping/wrap', operations: { update: wrap } },
    { path: 'wrapping/unwrap', open: true, fields, operations: { update: unwrap } },
    { path: 'wrapping/lookup', open: true, fields, operations: { update: lookup, read: lookup } },
    { path: 'wrapping/rewrap', open: true, fields, operations: { update: rewrap } },
  ];
}

/** The wrapping itself is done by the core, for this as for any other answer. */
function wrap({ request, data }: Context): Result {
  if (request.wrapTtl === undefined) throw refuse('endpoint requires response wrapping to be used');
  return { data };
}

const tokenOf = ({ fields: sent, request }: Context): string => textOf(sent, 'token', request.token ?? '');

function unwrap(context: Context): Result | undefined {
  const wrapped = takeOut(context, findWrapping(context, tokenOf(context)));
  return wrapped === null ? undefined : { envelope: wrapped };
}

function lookup(context: Context): Result {
  const { wrapping, created } = findWrapping(context, tokenOf(context));
  return {
    data: {
      creation_path: wrapping?.path,
      creation_time: new Date(created).toISOString(),
      creation_ttl: wrapping?.ttl,
    },
  };
}

function rewrap(context: Context): Result {
  const entry = findWrapping(context, tokenOf(context));
  const wrapped = takeOut(context, entry);
  return putAside(context, wrapped, entry.wrapping?.ttl ?? 0, entry.wrapping?.path ?? '');
}
