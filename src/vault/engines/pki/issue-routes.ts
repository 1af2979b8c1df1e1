import type { Csr } from '../../../x509/csr.ts';
import { generateKeyPair } from '../../../x509/keys.ts';
import type { Context, Handler, Route } from '../../core/backend.ts';
import { booleanOf, type Fields, listOf, numberOf, type Schema, textOf } from '../../core/fields.ts';
import type { Entity } from '../../core/identity-store.ts';
import { putLease } from '../../core/leases.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { randomBase62 } from '../../core/tokens.ts';
import { isTemplate, resolveText } from '../../policy/templates.ts';
import { certify, checkKey, csrOf } from './certify.ts';
import { colonHex, type Format, formatOf, inFormat, privateKeyFields, withWarnings } from './format.ts';
import { requireSigner, type Signer } from './issuers.ts';
import { generatedType, keyKind } from './key-kind.ts';
import { requestedNames } from './requested-names.ts';
import { type Role, verbatimRole } from './role.ts';
import { putCertificate, readRole } from './store.ts';
import type { Tidy } from './tidy.ts';
import { roleExtensions } from './usages.ts';
import { validityOf } from './validity.ts';

export const nameSchema: Schema = {
  common_name: 'string',
  alt_names: 'list',
  ip_sans: 'list',
  uri_sans: 'list',
  other_sans: 'list',
  user_ids: 'list',
  serial_number: 'string',
  exclude_cn_from_sans: 'bool',
  format: 'string',
  private_key_format: 'string',
  ttl: 'seconds',
  not_before: 'string',
  not_after: 'string',
  skid: 'string',
};

const leafSchema: Schema = {
  ...nameSchema,
  csr: 'string',
  key_type: 'string',
  key_bits: 'int',
  remove_roots_from_chain: 'bool',
};

const verbatimSchema: Schema = {
  ...leafSchema,
  key_usage: 'list',
  ext_key_usage: 'list',
  ext_key_usage_oids: 'list',
  signature_bits: 'int',
  use_pss: 'bool',
  basic_constraints_valid_for_non_ca: 'bool',
};

/** Leaves: with a key made here, for a CSR under a role, and for a CSR as it is. */
export function issueRoutes(tidy: Tidy): Route[] {
  const handler =
    (how: How): Handler =>
    (context) => {
      tidy.runIfDue(context);
      return issue(context, how);
    };
  const of = (how: How, path: string, fields: Schema): Route[] => {
    const route = { fields, operations: { update: handler(how) } };
    return [
      { path, ...route },
      { path: `issuer/:issuer_ref/${path}`, ...route },
    ];
  };
  return [
    ...of('issue', 'issue/:role', leafSchema),
    ...of('sign', 'sign/:role', leafSchema),
    ...of('sign-verbatim', 'sign-verbatim/:role', verbatimSchema),
    // A role would say which issuer it is; without one the body may.
    ...of('sign-verbatim', 'sign-verbatim', { ...verbatimSchema, issuer_ref: 'string' }),
  ];
}

type How = 'issue' | 'sign' | 'sign-verbatim';

function roleOf({ store, fields, auth }: Context, how: How): Role {
  const name = textOf(fields, 'role');
  const role = name === '' ? undefined : readRole(store, name);
  if (role === undefined && name !== '') throw refuse(`unknown role: ${name}`);
  return how === 'sign-verbatim' || role === undefined
    ? verbatimRole(fields, role)
    : forCaller(role, auth?.entity);
}

/** What a role allows by templates depends on who asks; what cannot be filled in allows nothing. */
function forCaller(role: Role, entity: Entity | undefined): Role {
  if (!role.allowed_domains_template && !role.allowed_uri_sans_template) return role;
  const fill = (texts: readonly string[]): string[] =>
    texts.flatMap((text) => (isTemplate(text) ? (resolveText(text, entity) ?? []) : text));
  return {
    ...role,
    ...(role.allowed_domains_template ? { allowed_domains: fill(role.allowed_domains) } : {}),
    ...(role.allowed_uri_sans_template ? { allowed_uri_sans: fill(role.allowed_uri_sans) } : {}),
  };
}

async function issue(context: Context, how: How): Promise<Result> {
  const { store, fields } = context;
  const found = roleOf(context, how);
  const { role, warnings: keyWarnings } =
    how === 'issue' ? roleWithKey(found, fields) : { role: found, warnings: [] };
  const signer = requireSigner(
    store,
    textOf(fields, 'issuer_ref') || role.issuer_ref,
    'issuing-certificates',
  );
  const format = formatOf(fields);
  const csr = how === 'issue' ? undefined : csrOf(fields);
  if (csr !== undefined) checkKey(csr.publicKey, role);
  const displayName = context.auth?.token.displayName ?? '';
  const names = requestedNames({ fields, role, csr, displayName });
  const { notAfter } = signer.certificate;
  const validity = validityOf(context, role, { notAfter, behavior: signer.stored.leafNotAfter });
  const subjectKeyId = askedKeyId(fields);
  const pair = csr === undefined ? await newKey(role) : undefined;
  const publicKey = csr?.publicKey ?? pair?.publicKey;
  if (publicKey === undefined) throw refuse('no key', 500, 'internal');
  const { certificate, serial } = await certify(context, {
    signer,
    role,
    publicKey,
    publicKeyDer: csr?.publicKeyDer ?? publicKey.export({ type: 'spki', format: 'der' }),
    names,
    validity,
    extensions: roleExtensions(role),
    ...(subjectKeyId === undefined ? {} : { subjectKeyId }),
    verbatim: how === 'sign-verbatim' ? csr : undefined,
  });
  if (!role.no_store) putCertificate(store, serial, certificate.pem);
  const key = pair === undefined ? {} : privateKeyFields(pair.privateKey, fields, format);
  const bundle = format === 'pem_bundle' && pair !== undefined ? `${String(key.private_key)}\n` : '';
  const answer = {
    ...answerFields(signer, fields, format),
    certificate:
      bundle + inFormat(certificate.pem, format) + (format === 'pem_bundle' ? `\n${signer.issuingCa}` : ''),
    serial_number: colonHex(serial),
    not_before: Math.floor(validity.notBefore / 1000),
    expiration: Math.floor(validity.notAfter / 1000),
    ...key,
  };
  const warnings = [...csrWarnings(fields, role, csr), ...validity.warnings, ...keyWarnings];
  return { data: answer, ...withWarnings(warnings), ...leaseOf(context, role, serial, validity.notAfter) };
}

function answerFields(signer: Signer, fields: Fields, format: Format): Fields {
  const chain = booleanOf(fields, 'remove_roots_from_chain') ? signer.chainWithoutRoots : signer.chain;
  const shown = format === 'der' ? chain.map((pem) => inFormat(pem, format)) : chain;
  return {
    issuing_ca: format === 'der' ? inFormat(signer.issuingCa, format) : signer.issuingCa,
    ...(shown.length === 0 ? {} : { ca_chain: shown }),
  };
}

/** A role for any key leaves the kind to the request. @throws Refusal 400 */
function roleWithKey(
  role: Role,
  fields: Fields,
): { readonly role: Role; readonly warnings: readonly string[] } {
  const asked = 'key_type' in fields;
  if (role.key_type !== 'any') {
    const ignored = asked || 'key_bits' in fields;
    return {
      role,
      warnings: ignored ? ['parameters key_type and key_bits ignored as role had specific values'] : [],
    };
  }
  if (!asked) {
    throw refuse(
      'role key type "any" not allowed for issuing certificates without providing key_type and/or key_bits request parameters',
    );
  }
  const kind = keyKind(textOf(fields, 'key_type'), numberOf(fields, 'key_bits'), role.signature_bits);
  return { role: { ...role, key_type: kind.type, key_bits: kind.bits }, warnings: [] };
}

const newKey = (role: Role): ReturnType<typeof generateKeyPair> =>
  generateKeyPair(
    generatedType({ type: role.key_type, bits: role.key_bits, signatureBits: role.signature_bits }),
  );

/** @throws Refusal 400 */
export function askedKeyId(fields: Fields): Buffer | undefined {
  const hex = textOf(fields, 'skid').replace(/[:\- ]/g, '');
  if (hex === '') return undefined;
  if (!/^([0-9a-fA-F]{2}){1,64}$/.test(hex)) throw refuse('cannot parse requested SKID value as hex');
  return Buffer.from(hex, 'hex');
}

function csrWarnings(fields: Fields, role: Role, csr: Csr | undefined): string[] {
  if (csr === undefined) return [];
  const ignored = (name: string, flag: string): string =>
    `the ${name} field was provided but the role is set with "${flag}" set to true`;
  return [
    ...(role.use_csr_common_name && textOf(fields, 'common_name') !== ''
      ? [ignored('common_name', 'use_csr_common_name')]
      : []),
    ...(role.use_csr_sans && listOf(fields, 'alt_names').length > 0
      ? [ignored('alt_names', 'use_csr_sans')]
      : []),
    ...(csr.extensions.some(({ oid }) => oid === '2.5.29.19') && !role.basic_constraints_valid_for_non_ca
      ? ['specified CSR contained a Basic Constraints extension that was ignored during issuance']
      : []),
  ];
}

/** Only for roles that ask for it: a lease that ends with the certificate, under the token that asked. */
function leaseOf(context: Context, role: Role, serial: string, notAfter: number): Partial<Result> {
  if (!role.generate_lease || context.auth === undefined) return {};
  const { request, transaction, services, clock, random } = context;
  const [now, left] = [services.leases.now(), notAfter - clock.now()];
  const id = `${request.path}/${randomBase62(24, random)}`;
  putLease(transaction, services.leases, {
    id,
    path: request.path,
    tokenKey: context.auth.token.key,
    isToken: false,
    issued: now,
    expires: now + left,
    renewable: false,
    secret: { serial },
  });
  return { leaseId: id, leaseDuration: Math.floor(left / 1000), renewable: false };
}
