import type { Context, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { parseCidr } from './cidr.ts';
import { withWarnings } from './format.ts';
import { findIssuer } from './issuers.ts';
import { keyKind } from './key-kind.ts';
import { parseOtherNames } from './name-rules.ts';
import { checkPurposeIds, isObjectId } from './object-id.ts';
import { defaultRole, mergedRole, type Role, roleSchema } from './role.ts';
import { putRole, readRole } from './store.ts';

export function roleRoutes(): Route[] {
  return [
    {
      path: 'roles',
      operations: { list: ({ store }) => listResult(store.list('role/')) },
    },
    {
      path: 'roles/:name',
      fields: roleSchema,
      operations: {
        read: ({ store, fields }) => {
          const role = readRole(store, textOf(fields, 'name'));
          return role === undefined ? undefined : { data: { ...role } };
        },
        update: (context) => save(context, defaultRole),
        patch: (context) => {
          const before = readRole(context.store, textOf(context.fields, 'name'));
          if (before === undefined) throw refuse('Unable to fetch role entry to patch');
          return save(context, before);
        },
        delete: ({ store, fields }) => {
          store.delete(`role/${textOf(fields, 'name')}`);
          return undefined;
        },
      },
    },
  ];
}

export const listResult = (names: readonly string[]): Result | undefined =>
  names.length === 0 ? undefined : { data: { keys: names } };

function save(context: Context, before: Role): Result {
  const { store, fields } = context;
  const sent = mergedRole(before, fields);
  const warnings: string[] = [];
  if (sent.no_store && sent.generate_lease) {
    warnings.push(
      'mutually exclusive values no_store=true and generate_lease=true were both specified; no_store=true takes priority',
    );
  } else if (sent.generate_lease) {
    warnings.push(
      "it is encouraged to disable generate_lease and rely on PKI's native capabilities when possible; this option can cause instance-wide issues with large numbers of issued certificates",
    );
  }
  const role = checked({ ...sent, generate_lease: sent.generate_lease && !sent.no_store });
  if (findIssuer(store, role.issuer_ref) === undefined) warnings.unshift(missingIssuer(role.issuer_ref));
  putRole(store, textOf(fields, 'name'), role);
  return { data: { ...role }, ...withWarnings(warnings) };
}

const missingIssuer = (reference: string): string =>
  reference === 'default'
    ? 'Issuing Certificate was set to default, but no default issuing certificate (configurable at /config/issuers) is currently set'
    : `Issuing Certificate was set to ${reference} but no issuing certificate currently has that name`;

/** @throws Refusal 400, in the order in which upstream looks */
function checked(role: Role): Role {
  if (!isAnyOther(role.allowed_other_sans)) {
    parseOtherNames(role.allowed_other_sans, (text) => refuse(`error parsing allowed_other_sans: ${text}`));
  }
  for (const cidr of role.allowed_ip_sans_cidr) {
    if (parseCidr(cidr) === undefined)
      throw refuse(`error parsing allowed_ip_sans_cidr: invalid CIDR address: ${cidr}`);
  }
  checkBounds(role);
  if (role.max_ttl > 0 && role.ttl > role.max_ttl)
    throw refuse('"ttl" value must be less than "max_ttl" value');
  const kind = keyKind(role.key_type, role.key_bits, role.signature_bits);
  checkPurposeIds(role.ext_key_usage_oids);
  for (const id of role.policy_identifiers) {
    if (!isObjectId(id)) throw refuse(`policy identifier ${JSON.stringify(id)} is not an object identifier`);
  }
  return {
    ...role,
    key_bits: kind.bits,
    signature_bits: kind.signatureBits,
    cn_validations: checkValidations(role.cn_validations),
    issuer_ref: role.issuer_ref === '' ? 'default' : role.issuer_ref,
  };
}

const isAnyOther = (names: readonly string[]): boolean => names.length === 1 && names[0] === '*';

function checkBounds({ not_after_bound, not_before_bound, not_after, not_before }: Role): void {
  if (
    !['permit', 'forbid', 'ttl-limited'].includes(not_after_bound) &&
    Number.isNaN(Date.parse(not_after_bound))
  ) {
    throw refuse(
      'Unknown value for field `not_after_bound`. Possible values are `permit`, `ttl-limited`, `forbid`, or an explicit timestamp.',
    );
  }
  if (!['permit', 'duration', 'forbid'].includes(not_before_bound)) {
    throw refuse(
      'Unknown value for field `not_before_bound`. Possible values are `permit` `duration` or `forbid`',
    );
  }
  for (const [name, value] of Object.entries({ not_after, not_before })) {
    if (value !== '' && Number.isNaN(Date.parse(value)))
      throw refuse(`${name}: cannot parse "${value}" as a time`);
  }
}

/** @throws Refusal 500, as upstream answers it */
function checkValidations(validations: readonly string[]): readonly string[] {
  const fail = (text: string): Error =>
    refuseWrapped(`cn_validations value incorrect: ${text}`, 500, 'bad-field');
  if (validations.length === 0) return ['email', 'hostname'];
  const lower = validations.map((one) => one.toLowerCase());
  for (const [i, one] of lower.entries()) {
    if (!['disabled', 'email', 'hostname'].includes(one)) throw fail(`unknown type: \`${validations[i]}\``);
    if (lower.indexOf(one) !== i) throw fail(`\`${one}\` specified multiple times`);
  }
  if (lower.includes('disabled') && lower.length > 1) {
    throw fail('cannot specify `disabled` along with `email` or `hostname`');
  }
  return lower;
}
