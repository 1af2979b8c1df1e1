import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, numberOf, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';

/** sys/policies/acl and its old twin sys/policy. */
export function policyRoutes(): Route[] {
  const fields = {
    policy: 'string',
    rules: 'string',
    cas: 'int',
    cas_required: 'bool',
    ttl: 'string',
    expiration: 'string',
  } as const;
  return [
    { path: 'policies/acl', operations: { list: names } },
    {
      path: 'policies/acl/:name',
      fields,
      operations: { read: (context) => read(context, 'policy'), update: write, delete: remove },
    },
    { path: 'policy', operations: { read: legacyNames, list: legacyNames } },
    {
      path: 'policy/:name',
      fields,
      operations: { read: (context) => read(context, 'rules'), update: write, delete: remove },
    },
  ];
}

const nameOf = ({ fields }: Context): string => textOf(fields, 'name').toLowerCase();

function names({ services, transaction }: Context): Result {
  return { data: { keys: services.policies.names(transaction) } };
}

function legacyNames({ services, transaction }: Context): Result {
  const keys = services.policies.names(transaction);
  return { data: { keys, policies: keys }, flatten: true };
}

function read(context: Context, key: 'policy' | 'rules'): Result | undefined {
  const name = nameOf(context);
  const found = context.services.policies.read(context.transaction, name);
  if (found === undefined) return undefined;
  const { text, version = 0, casRequired = false, modified } = found;
  const data = { name, [key]: text, version, cas_required: casRequired };
  const at = modified === undefined ? {} : { modified: new Date(modified).toISOString() };
  return { data: { ...data, ...at }, flatten: key === 'rules' };
}

function write(context: Context): Result | undefined {
  const { fields, services, transaction, clock } = context;
  const sent = textOf(fields, 'policy') || textOf(fields, 'rules');
  if (sent === '') throw refuse("'policy' parameter not supplied or empty");
  // A policy that should end and does not would grant for ever.
  if (textOf(fields, 'ttl') !== '' || textOf(fields, 'expiration') !== '')
    throw refuse('policies that expire are not offered by this server');
  services.policies.write(transaction, nameOf(context), {
    text: decoded(sent),
    cas: 'cas' in fields ? numberOf(fields, 'cas') : undefined,
    casRequired: booleanOf(fields, 'cas_required'),
    now: clock.now(),
  });
  const asWritten = textOf(fields, 'name');
  const warnings = [
    ...(nameOf(context) === asWritten ? [] : [`policy name was converted to ${nameOf(context)}`]),
    ...('rules' in fields && !('policy' in fields)
      ? ["'rules' is deprecated, please use 'policy' instead"]
      : []),
  ];
  return warnings.length === 0 ? undefined : { data: null, warnings };
}

/** Policies may come in base64, which no policy text is. */
function decoded(text: string): string {
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text) || text.trim().length % 4 !== 0) return text;
  return Buffer.from(text, 'base64').toString('utf8');
}

function remove(context: Context): undefined {
  context.services.policies.delete(context.transaction, nameOf(context));
}
