import { isSelfSigned } from '../../../x509/certificate.ts';
import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, listOf, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { badUrl } from './config-routes.ts';
import { markRevocations } from './crl-keeper.ts';
import { colonHex, goTime, withWarnings } from './format.ts';
import {
  allUsages,
  certificateOf,
  deleteIssuer,
  findIssuer,
  isName,
  newIssuerName,
  putIssuer,
  rebuildChains,
  requireIssuer,
} from './issuers.ts';
import { signerOf } from './revoke-routes.ts';
import { knownAlgorithms } from './root-routes.ts';
import {
  type AccessUrls,
  allIssuers,
  type LeafNotAfter,
  noUrls,
  putRevocation,
  readIssuer,
  readIssuersConfig,
  readRole,
  type StoredIssuer,
} from './store.ts';
import { hasUrls } from './usages.ts';

const schema = {
  issuer_name: 'string',
  leaf_not_after_behavior: 'string',
  manual_chain: 'list',
  usage: 'list',
  revocation_signature_algorithm: 'string',
  issuing_certificates: 'list',
  crl_distribution_points: 'list',
  delta_crl_distribution_points: 'list',
  ocsp_servers: 'list',
  enable_aia_url_templating: 'bool',
} as const;

export function issuerRoutes(): Route[] {
  return [
    { path: 'issuers', open: true, operations: { list } },
    {
      path: 'issuer/:reference',
      fields: schema,
      operations: {
        read: (context) => shown(requireIssuer(context.store, textOf(context.fields, 'reference'))),
        update: (context) => change(context, true),
        patch: (context) => change(context, false),
        delete: remove,
      },
    },
    { path: 'issuer/:reference/revoke', operations: { update: revokeIssuer } },
  ];
}

function list({ store }: Context): Result | undefined {
  const found = allIssuers(store);
  if (found.length === 0) return undefined;
  const info = found.map(({ id, name, keyId, serial }) => [
    id,
    {
      is_default: id === readIssuersConfig(store).default,
      issuer_name: name,
      key_id: keyId,
      serial_number: colonHex(serial),
    },
  ]);
  return { data: { keys: found.map(({ id }) => id), key_info: Object.fromEntries(info) } };
}

function shown(issuer: StoredIssuer, warnings: readonly string[] = []): Result {
  const { enable_templating, ...urls } = issuer.urls ?? noUrls;
  const data = {
    issuer_id: issuer.id,
    issuer_name: issuer.name,
    key_id: issuer.keyId,
    certificate: issuer.certificate,
    manual_chain: issuer.manualChain.length === 0 ? null : issuer.manualChain,
    ca_chain: issuer.caChain,
    leaf_not_after_behavior: issuer.leafNotAfter,
    usage: issuer.usage.join(','),
    revocation_signature_algorithm: issuer.revocationAlgorithm,
    revoked: issuer.revoked > 0,
    ...urls,
    ...(issuer.urls === null ? {} : { enable_aia_url_templating: enable_templating }),
    ...(issuer.revoked === 0
      ? {}
      : {
          revocation_time: Math.floor(issuer.revoked / 1000),
          revocation_time_rfc3339: goTime(issuer.revoked),
        }),
  };
  return { data, ...withWarnings(warnings) };
}

/** A write puts back to its default what it does not name; a patch leaves it. */
function change(context: Context, isWhole: boolean): Result {
  const { store, fields } = context;
  const before = requireIssuer(store, textOf(fields, 'reference'));
  const base = isWhole ? { ...before, ...untouched, urls: null, usage: allUsages } : before;
  const after: StoredIssuer = {
    ...base,
    name: 'issuer_name' in fields ? nameOf(context, before) : base.name,
    leafNotAfter: 'leaf_not_after_behavior' in fields ? behaviorOf(context) : base.leafNotAfter,
    usage: usageOf(context, before, base.usage),
    revocationAlgorithm:
      'revocation_signature_algorithm' in fields ? algorithmOf(context) : base.revocationAlgorithm,
    urls: urlsOf(context, base.urls),
    manualChain: 'manual_chain' in fields ? manualChainOf(context, before) : base.manualChain,
  };
  putIssuer(store, after);
  rebuildChains(store);
  markRevocations(store);
  const renamed = before.name !== '' && before.name !== after.name ? rolesNaming(context, before.name) : [];
  return shown(readIssuer(store, after.id) ?? after, renamed);
}

const untouched = { name: '', leafNotAfter: 'err', revocationAlgorithm: '', manualChain: [] } as const;

function nameOf({ store, fields }: Context, before: StoredIssuer): string {
  if (textOf(fields, 'issuer_name').trim() === '') return '';
  const name = newIssuerName(store, fields, before.id);
  if (!isName(name)) throw refuse('new key name outside of valid character limits');
  return name;
}

function behaviorOf({ fields }: Context): LeafNotAfter {
  const text = textOf(fields, 'leaf_not_after_behavior');
  if (text === 'err' || text === 'truncate' || text === 'permit') return text;
  throw refuse(
    'Unknown value for field `leaf_not_after_behavior`. Possible values are `err`, `truncate`, and `permit`.',
  );
}

function usageOf({ fields }: Context, before: StoredIssuer, otherwise: readonly string[]): readonly string[] {
  const asked = 'usage' in fields ? listOf(fields, 'usage') : otherwise;
  if (asked.some((one) => !allUsages.some((known) => known === one))) {
    throw refuse(
      `Unable to parse specified usages: [${asked.join(' ')}] - valid values are ${allUsages.join(',')}`,
    );
  }
  const usage = allUsages.filter((known) => known === 'read-only' || asked.includes(known));
  if (before.revoked > 0 && usage.includes('issuing-certificates')) {
    throw refuse(
      'This issuer was revoked; unable to modify its usage to include certificate signing again. Reissue this certificate (preferably with a new key) and modify that entry instead.',
    );
  }
  const mayList = certificateOf(before).keyUsage?.has('cRLSign') !== false;
  if (mayList || !usage.includes('crl-signing')) return usage;
  if (!('usage' in fields)) return usage.filter((one) => one !== 'crl-signing');
  throw refuse(
    "This issuer's underlying certificate lacks the CRLSign KeyUsage value; unable to set CRLSigningUsage on this issuer as a result.",
  );
}

function algorithmOf({ fields }: Context): string {
  const asked = textOf(fields, 'revocation_signature_algorithm');
  const found = knownAlgorithms.find((name) => name.toLowerCase() === asked.toLowerCase());
  if (asked === '' || found !== undefined) return found ?? '';
  throw refuse(
    `Unknown signature algorithm value: ${asked} - valid values are ${knownAlgorithms.join(', ')}`,
  );
}

const urlFields = [
  'issuing_certificates',
  'crl_distribution_points',
  'delta_crl_distribution_points',
  'ocsp_servers',
] as const;

function urlsOf({ fields }: Context, before: AccessUrls | null): AccessUrls | null {
  const base = before ?? noUrls;
  const templating = booleanOf(fields, 'enable_aia_url_templating', base.enable_templating);
  const urls = { ...base, enable_templating: templating };
  for (const name of urlFields) {
    if (!(name in fields)) continue;
    const values = listOf(fields, name);
    const wrong = templating ? undefined : badUrl(values);
    if (wrong !== undefined)
      throw refuse(`invalid URL found in Authority Information Access (AIA) parameter ${name}: ${wrong}`);
    urls[name] = values;
  }
  return hasUrls(urls) ? urls : null;
}

function manualChainOf({ store, fields }: Context, before: StoredIssuer): readonly string[] {
  return listOf(fields, 'manual_chain').map((reference, i) => {
    const found = i === 0 && reference === 'self' ? before : requireIssuer(store, reference);
    if (i > 0 || found.id === before.id) return found.id;
    throw refuse(`expected first cert in chain to be a self-reference, but was: ${reference}/${found.id}`);
  });
}

function rolesNaming({ store }: Context, name: string): string[] {
  const count = store.list('role/').filter((role) => readRole(store, role)?.issuer_ref === name).length;
  return count === 0 ? [] : [`${count} roles reference ${name}`];
}

function remove(context: Context): Result {
  const { store, fields } = context;
  const reference = textOf(fields, 'reference');
  const issuer = findIssuer(store, reference);
  if (issuer === undefined) return { data: null };
  const references = [issuer.name, issuer.id].filter((name) => name !== '');
  const warnings = references.flatMap((name) => rolesNaming(context, name));
  if (deleteIssuer(store, issuer)) {
    warnings.push(
      `Deleted issuer ${issuer.id} (via issuer_ref ${reference}); this was configured as the default issuer. Operations without an explicit issuer will not work until a new default is configured.`,
      ...rolesNaming(context, 'default'),
    );
  }
  rebuildChains(store);
  markRevocations(store);
  return { data: null, ...withWarnings(warnings) };
}

/** It issues nothing any more, and stands on its parent's list when the parent is in this mount. */
function revokeIssuer(context: Context): Result {
  const { store, fields, clock } = context;
  const issuer = requireIssuer(store, textOf(fields, 'reference'));
  if (issuer.revoked > 0) return shown(issuer);
  const now = clock.now();
  const after = {
    ...issuer,
    revoked: now,
    usage: issuer.usage.filter((usage) => usage !== 'issuing-certificates'),
  };
  putIssuer(store, after);
  const certificate = certificateOf(issuer);
  const parent = signerOf(
    certificate,
    allIssuers(store).filter(({ id }) => id !== issuer.id),
  );
  if (parent !== undefined) {
    putRevocation(store, issuer.serial, { time: now, issuer: parent.id, notAfter: certificate.notAfter });
  }
  markRevocations(store);
  const warnings = [
    ...(isSelfSigned(certificate)
      ? [
          "This issuer is a self-signed (potentially root) certificate. This means it may not be considered revoked if there is not an external, cross-signed variant of this certificate. This issuer's serial number will not appear on its own CRL.",
        ]
      : []),
    ...(parent === undefined
      ? [
          "This issuer lacks another parent issuer within the mount. This means it will not appear on any other CRLs and may not be considered revoked by clients. Consider adding this issuer to its issuer's CRL as well if it is not self-signed.",
        ]
      : []),
    ...(readIssuersConfig(store).default === issuer.id
      ? [
          'This issuer is currently configured as the default issuer for this mount; operations such as certificate issuance may not work until a new default issuer is selected.',
        ]
      : []),
  ];
  return shown(after, warnings);
}
