import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, numberOf, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import type { PolicyChange, StoredPolicy } from '../../policy/policy-store.ts';

/** sys/policies/acl and its old twin sys/policy. */
export function policyRoutes(): Route[] {
  const fields = {
    policy: 'string',
    rules: 'string',
    cas: 'int',
    cas_required: 'bool',
    allow_wildcards_in_identity_templates: 'bool',
    allow_slashes_in_identity_templates: 'bool',
    ttl: 'seconds',
    expiration: 'time',
  } as const;
  return [
    { path: 'policies/acl', operations: { list: names } },
    {
      path: 'policies/acl/:name',
      fields,
      operations: { read: (context) => read(context, 'policy'), update: write, patch, delete: remove },
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

const namesOf = ({ services, transaction }: Context): string[] =>
  services.policies.names(transaction, services.leases.now());

const names = (context: Context): Result => ({ data: { keys: namesOf(context) } });

function legacyNames(context: Context): Result {
  const keys = namesOf(context);
  return { data: { keys, policies: keys }, flatten: true };
}

function stored(context: Context): StoredPolicy | undefined {
  const { services, transaction } = context;
  return services.policies.read(transaction, nameOf(context), services.leases.now());
}

function read(context: Context, key: 'policy' | 'rules'): Result | undefined {
  const found = stored(context);
  if (found === undefined) return undefined;
  const { text, version = 0, casRequired = false, modified, expires } = found;
  const data = {
    name: nameOf(context),
    [key]: text,
    version,
    cas_required: casRequired,
    // What fills in templates never holds a wildcard or a slash.
    allow_wildcards_in_identity_templates: false,
    allow_slashes_in_identity_templates: false,
    ...timeField('modified', modified),
    ...timeField('expiration', expires),
  };
  return { data, flatten: key === 'rules' };
}

const timeField = (name: string, at: number | undefined): object =>
  at === undefined ? {} : { [name]: new Date(at).toISOString() };

function write(context: Context): Result | undefined {
  const { fields } = context;
  const isLegacy = context.path.startsWith('policy/');
  const sent = textOf(fields, 'policy') || (isLegacy ? textOf(fields, 'rules') : '');
  put(context, sent, {
    cas: 'cas' in fields ? numberOf(fields, 'cas') : undefined,
    casRequired: booleanOf(fields, 'cas_required'),
    expires: expirationOf(context),
  });
  const warnings = [
    ...(nameWarning(context).warnings ?? []),
    ...('rules' in fields && !('policy' in fields)
      ? ["'rules' is deprecated, please use 'policy' instead"]
      : []),
  ];
  return warnings.length === 0 ? undefined : { data: null, warnings };
}

/** What is not said stays as it is. */
function patch(context: Context): Result {
  const { fields } = context;
  const before = stored(context);
  if (before === undefined) throw refuse('policy not found', 400, 'no-policy');
  put(context, textOf(fields, 'policy', before.text), {
    cas: numberOf(fields, 'cas', before.version ?? 0),
    casRequired: booleanOf(fields, 'cas_required', before.casRequired),
    expires: expirationOf(context) ?? before.expires,
  });
  return { data: null, ...nameWarning(context) };
}

function nameWarning(context: Context): Pick<Result, 'warnings'> {
  const name = nameOf(context);
  return name === textOf(context.fields, 'name')
    ? {}
    : { warnings: [`policy name was converted to ${name}`] };
}

function put(context: Context, sent: string, change: Omit<PolicyChange, 'text' | 'now'>): void {
  const { fields, services, transaction } = context;
  if (sent === '') throw refuse("'policy' parameter not supplied or empty");
  // They would widen what is filled in, and are not offered: a template that asks for them must not look as if it worked.
  for (const name of ['allow_wildcards_in_identity_templates', 'allow_slashes_in_identity_templates']) {
    if (fields[name] === true) throw refuse(`${name} is not offered by this server`);
  }
  const now = services.leases.now();
  if (change.expires !== undefined && change.expires <= now)
    throw refuse('refusing to update policy as expiration time has already elapsed');
  services.policies.write(transaction, nameOf(context), { ...change, text: decoded(sent), now });
}

/** Milliseconds; undefined when nothing was said. */
function expirationOf({ fields, services }: Context): number | undefined {
  const at = numberOf(fields, 'expiration', Number.NaN);
  const hasTime = !Number.isNaN(at);
  if (hasTime && 'ttl' in fields) throw refuse("cannot supply both 'expiration' and 'ttl' for policies");
  if ('ttl' in fields) return services.leases.now() + numberOf(fields, 'ttl') * 1000;
  return hasTime ? at : undefined;
}

/** Policies may come in base64, which no policy text is. */
function decoded(text: string): string {
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text) || text.trim().length % 4 !== 0) return text;
  return Buffer.from(text, 'base64').toString('utf8');
}

function remove(context: Context): undefined {
  context.services.policies.delete(context.transaction, nameOf(context));
}
