import { messageOf } from '../../../lib/errors.ts';
import type { SubjectAltNames } from '../../../x509/alt-names.ts';
import type { Certificate } from '../../../x509/certificate.ts';
import { type Csr, parseCsr } from '../../../x509/csr.ts';
import {
  authorityKeyId,
  basicConstraints,
  keyUsage,
  subjectAltName,
  subjectKeyId,
} from '../../../x509/extensions.ts';
import { encodeAndSign, issue } from '../../../x509/issuer.ts';
import { keyIdOf } from '../../../x509/key-id.ts';
import { generateKeyPair, privateKeyPem } from '../../../x509/keys.ts';
import { encodeName } from '../../../x509/name.ts';
import { algorithmForKey } from '../../../x509/signature.ts';
import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, type Fields, listOf, numberOf, textOf } from '../../core/fields.ts';
import { effectiveDefaultTtl, effectiveMaxTtl } from '../../core/mount-entry.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { uuidOf } from '../../core/uuid.ts';
import { colonHex, formatted, keyTypeOf, rootSchema, subjectOf, subjectSchema, trimmed } from './schema.ts';
import {
  findIssuer,
  openIssuer,
  putCertificate,
  putDefaultId,
  putIssuer,
  readDefaultId,
  type StoredIssuer,
} from './store.ts';

const caUsage = keyUsage('keyCertSign', 'cRLSign');

/** Roots whose key never leaves, and what they sign. */
export function issueRoutes(): Route[] {
  const signSchema = { ...subjectSchema, csr: 'string', use_csr_values: 'bool' } as const;
  const generate = { fields: rootSchema, operations: { update: generateRoot } } as const;
  return [
    { path: 'root/generate/:exported', ...generate },
    { path: 'issuers/generate/root/:exported', ...generate },
    { path: 'root/sign-intermediate', fields: signSchema, operations: { update: signIntermediate } },
    {
      path: 'issuer/:issuer_ref/sign-intermediate',
      fields: signSchema,
      operations: { update: signIntermediate },
    },
  ];
}

async function generateRoot(context: Context): Promise<Result> {
  const { fields, store, clock, random } = context;
  if (textOf(fields, 'exported') !== 'internal') {
    throw refuse(
      'only "internal" is offered: a root key of this server does not leave it',
      400,
      'pki-exported',
    );
  }
  if (textOf(fields, 'common_name') === '') throw refuse('the common_name field is required');
  const name = textOf(fields, 'issuer_name');
  const key = await generateKeyPair(keyTypeOf(fields));
  const subject = subjectOf(fields);
  const id = keyIdOf(key.publicKey);
  const now = clock.now();
  const certificate = await encodeAndSign({
    issuerName: encodeName(subject),
    subject,
    publicKey: key.publicKey,
    extensions: [
      caUsage,
      basicConstraints(true, pathLength(fields)),
      subjectKeyId(id),
      authorityKeyId(id),
      ...sanOf(fields),
    ],
    algorithm: algorithmForKey(key.privateKey),
    signingKey: key.privateKey,
    now,
    notAfter: endOf(context),
  });
  if (name !== '' && findIssuer(store, name) !== undefined) throw refuse('issuer name already in use');
  const stored: StoredIssuer = {
    id: uuidOf(random(16)),
    name,
    keyId: uuidOf(random(16)),
    keyName: textOf(fields, 'key_name'),
    certificate: certificate.pem,
    privateKey: privateKeyPem(key.privateKey).reveal(),
  };
  putIssuer(store, stored);
  putCertificate(store, certificate.serial, certificate.pem);
  if (readDefaultId(store) === '') putDefaultId(store, stored.id);
  return { data: { ...issued(certificate, certificate, fields), ...idsOf(stored) } };
}

const idsOf = (stored: StoredIssuer): Fields => ({
  issuer_id: stored.id,
  issuer_name: stored.name,
  key_id: stored.keyId,
  key_name: stored.keyName,
});

function issued(certificate: Certificate, issuer: Certificate, fields: Fields): Fields {
  return {
    certificate: formatted(certificate, textOf(fields, 'format')),
    issuing_ca: formatted(issuer, textOf(fields, 'format')),
    serial_number: colonHex(certificate.serial),
    expiration: Math.floor(certificate.notAfter / 1000),
  };
}

async function signIntermediate(context: Context): Promise<Result> {
  const { fields, store, clock } = context;
  const reference = textOf(fields, 'issuer_ref', 'default');
  const stored = findIssuer(store, reference);
  if (stored === undefined) {
    throw refuseWrapped(`unable to find PKI issuer for reference: ${reference}`, 500, 'pki-no-issuer');
  }
  const issuer = openIssuer(stored);
  const csr = readCsr(textOf(fields, 'csr'));
  const fromCsr = booleanOf(fields, 'use_csr_values');
  if (!fromCsr && textOf(fields, 'common_name') === '') throw refuse('the common_name field is required');
  const now = clock.now();
  const notAfter = endOf(context);
  if (notAfter > issuer.certificate.notAfter) {
    const [wanted, end] = [goTime(notAfter), goTime(issuer.certificate.notAfter)];
    const text = `cannot satisfy request, as TTL would result in notAfter of ${wanted} that is beyond the expiration of the CA certificate at ${end}`;
    throw refuse(text, 400, 'outlives-issuer');
  }
  const certificate = await issue({
    issuer,
    publicKey: csr.publicKey,
    subject: fromCsr ? csr.subject : subjectOf(fields),
    extensions: [
      caUsage,
      basicConstraints(true, pathLength(fields)),
      subjectKeyId(keyIdOf(csr.publicKey)),
      ...(fromCsr ? altNames(csr.sans) : sanOf(fields)),
    ],
    authorityKeyAt: 3,
    ttl: notAfter - now,
    now,
    beyondIssuer: 'refuse',
  });
  putCertificate(store, certificate.serial, certificate.pem);
  const chain = [trimmed(issuer.certificate)];
  return { data: { ...issued(certificate, issuer.certificate, fields), ca_chain: chain } };
}

function readCsr(pem: string): Csr {
  if (pem === '') throw refuse('"csr" is empty');
  if (!pem.includes('BEGIN')) throw refuse('csr contains no data');
  let csr: Csr;
  try {
    csr = parseCsr(pem);
  } catch (error) {
    throw refuse(`certificate request could not be parsed: ${messageOf(error)}`);
  }
  if (!csr.signatureValid) throw refuse('request signature invalid');
  return csr;
}

/** Milliseconds of the end that was asked for, within what the mount allows. */
function endOf({ fields, mount, clock }: Context): number {
  const text = textOf(fields, 'not_after');
  const ttl = numberOf(fields, 'ttl');
  if (text !== '' && ttl > 0)
    throw refuse(
      'Either ttl or not_after should be provided. Both should not be provided in the same request.',
    );
  if (text !== '') {
    const end = Date.parse(text);
    if (Number.isNaN(end)) throw refuse(`not_after: cannot parse "${text}"`);
    return end;
  }
  const wanted = ttl > 0 ? ttl : effectiveDefaultTtl(mount);
  return clock.now() + Math.min(wanted, effectiveMaxTtl(mount)) * 1000;
}

/** -1 or nothing: no bound. */
function pathLength(fields: Fields): number | undefined {
  const length = numberOf(fields, 'max_path_length', -1);
  return length < 0 ? undefined : length;
}

function sanOf(fields: Fields): Buffer[] {
  const commonName = textOf(fields, 'common_name');
  const withCn =
    !booleanOf(fields, 'exclude_cn_from_sans') && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(commonName);
  const dns = [...new Set([...(withCn ? [commonName] : []), ...listOf(fields, 'alt_names')])];
  return altNames({ dns, uri: listOf(fields, 'uri_sans'), ip: listOf(fields, 'ip_sans'), email: [] });
}

function altNames(sans: SubjectAltNames): Buffer[] {
  const isEmpty = [sans.dns, sans.uri, sans.ip, sans.email].every((names) => names.length === 0);
  return isEmpty ? [] : [subjectAltName(sans, false)];
}

const goTime = (ms: number): string => new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
