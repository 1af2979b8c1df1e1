import type { Context, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';

/** sys/policies/acl and its old twin sys/policy. */
export function policyRoutes(): Route[] {
  const fields = { policy: 'string', rules: 'string' } as const;
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
  const text = context.services.policies.read(context.transaction, name);
  return text === undefined ? undefined : { data: { name, [key]: text }, flatten: key === 'rules' };
}

function write(context: Context): Result | undefined {
  const { fields, services, transaction } = context;
  const sent = textOf(fields, 'policy') || textOf(fields, 'rules');
  if (sent === '') throw refuse("'policy' parameter not supplied or empty");
  services.policies.write(transaction, nameOf(context), decoded(sent));
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
