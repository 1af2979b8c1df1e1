import { permittedDnsDomains } from '../../../x509/access-extensions.ts';
import type { Certificate } from '../../../x509/certificate.ts';
import { authorityKeyId, basicConstraints, keyUsage, subjectKeyId } from '../../../x509/extensions.ts';
import { encodeAndSign } from '../../../x509/issuer.ts';
import { keyIdOf } from '../../../x509/key-id.ts';
import { generateKeyPair, type KeyPair } from '../../../x509/keys.ts';
import { encodeName } from '../../../x509/name.ts';
import { algorithmForKey, pssAlgorithm, type SignatureAlgorithm } from '../../../x509/signature.ts';
import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, type Fields, listOf, numberOf, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { generateSchema } from './ca-schema.ts';
import { altNames, newSerial } from './certify.ts';
import {
  colonHex,
  formatOf,
  inFormat,
  noSubjectWarning,
  noUrlsWarning,
  privateKeyFields,
  withWarnings,
} from './format.ts';
import {
  deleteIssuer,
  findIssuer,
  findKey,
  importIssuer,
  importKey,
  keyPairOf,
  newIssuerName,
  newKeyName,
  noKeyText,
  putIssuer,
} from './issuers.ts';
import { generatedType, keyKind } from './key-kind.ts';
import { type RequestedNames, requestedNames } from './requested-names.ts';
import { caRole } from './role.ts';
import {
  allIssuers,
  allKeys,
  putCertificate,
  putDefaultKeyId,
  putIssuersConfig,
  readIssuersConfig,
  readUrls,
} from './store.ts';
import { hasUrls, urlExtensions, usagesOf } from './usages.ts';
import { type Validity, validityOf } from './validity.ts';

export function rootRoutes(): Route[] {
  const generate = { fields: generateSchema, operations: { update: generateRoot } } as const;
  return [
    { path: 'root/generate/:exported', ...generate },
    { path: 'root/rotate/:exported', ...generate },
    { path: 'issuers/generate/root/:exported', ...generate },
    { path: 'root', sudo: true, operations: { delete: deleteAll } },
  ];
}

/** The key of a new CA: made here, or one that the mount has. @throws Refusal 400 */
export async function caKey(
  context: Context,
): Promise<{ readonly pair: KeyPair; readonly isExported: boolean }> {
  const { fields, store } = context;
  const how = textOf(fields, 'exported');
  if (how === 'existing') {
    const reference = textOf(fields, 'key_ref') || 'default';
    const key = findKey(store, reference);
    if (key === undefined) throw refuse(noKeyText(reference));
    return { pair: keyPairOf(key), isExported: false };
  }
  if (how !== 'internal' && how !== 'exported') {
    throw refuse('the "exported" path parameter must be "internal", "existing", exported" or "kms"');
  }
  const kind = keyKind(
    textOf(fields, 'key_type') || 'rsa',
    numberOf(fields, 'key_bits'),
    numberOf(fields, 'signature_bits'),
  );
  return { pair: await generateKeyPair(generatedType(kind)), isExported: how === 'exported' };
}

/** Key usage of a CA: certificates and lists; istiod takes a CRL only from a CA with cRLSign. */
export function caUsage(fields: Fields): Buffer {
  const asked = usagesOf(listOf(fields, 'key_usage'));
  return keyUsage(...new Set([...asked, 'keyCertSign' as const, 'cRLSign' as const]));
}

export const nameConstraints = (fields: Fields): Buffer[] => {
  const domains = listOf(fields, 'permitted_dns_domains');
  return domains.length === 0 ? [] : [permittedDnsDomains(domains)];
};

async function generateRoot(context: Context): Promise<Result> {
  const { fields, store } = context;
  const format = formatOf(fields);
  const name = nameOf(context);
  const keyName = newKeyName(store, fields);
  const role = caRole(fields);
  const names = requestedNames({ fields, role, csr: undefined, displayName: '' });
  const validity = validityOf(context, role, undefined);
  const { pair, isExported } = await caKey(context);
  const certificate = await selfSign(context, pair, names, validity);
  const { key } = importKey(context, pair, keyName);
  const { issuer } = importIssuer(context, certificate, name);
  putIssuer(store, { ...issuer, revocationAlgorithm: goAlgorithm(rootAlgorithm(pair, fields).name) });
  putCertificate(store, certificate.serial, certificate.pem);
  const config = readIssuersConfig(store);
  if (config.default_follows_latest_issuer) putIssuersConfig(store, { ...config, default: issuer.id });
  const pem = inFormat(certificate.pem, format);
  const secret = isExported ? privateKeyFields(pair.privateKey, fields, format) : {};
  const data = {
    certificate: format === 'pem_bundle' && isExported ? `${String(secret.private_key)}\n${pem}` : pem,
    issuing_ca: pem,
    serial_number: colonHex(certificate.serial),
    expiration: Math.floor(validity.notAfter / 1000),
    issuer_id: issuer.id,
    issuer_name: name,
    key_id: key.id,
    key_name: key.name,
    ...secret,
  };
  return { data, ...withWarnings([...validity.warnings, ...rootWarnings(context, names)]) };
}

/** Without a name a rotation makes the `next` one, unless there is one already. */
function nameOf({ fields, store, request }: Context): string {
  const asked = newIssuerName(store, fields);
  if (asked !== '' || !request.path.includes('root/rotate/')) return asked;
  return findIssuer(store, 'next') === undefined ? 'next' : '';
}

function selfSign(
  context: Context,
  pair: KeyPair,
  names: RequestedNames,
  { notBefore, notAfter }: Validity,
): Promise<Certificate> {
  const { fields, store, clock } = context;
  const id = keyIdOf(pair.publicKey);
  const urls = urlExtensions(store, undefined);
  const length = numberOf(fields, 'max_path_length', -1);
  return encodeAndSign({
    issuerName: encodeName(names.subject),
    subject: names.subject,
    publicKey: pair.publicKey,
    extensions: [
      caUsage(fields),
      basicConstraints(true, length < 0 ? undefined : length),
      subjectKeyId(id),
      authorityKeyId(id),
      ...urls.access,
      ...altNames(names),
      ...nameConstraints(fields),
      ...urls.points,
    ],
    algorithm: rootAlgorithm(pair, fields),
    signingKey: pair.privateKey,
    now: clock.now(),
    notBefore,
    notAfter,
    serial: newSerial(context),
  });
}

function rootAlgorithm({ type, privateKey }: KeyPair, fields: Fields): SignatureAlgorithm {
  const bits = numberOf(fields, 'signature_bits');
  const isPss = booleanOf(fields, 'use_pss') && type.startsWith('rsa-');
  return isPss ? pssAlgorithm(bits) : algorithmForKey(privateKey, bits);
}

function rootWarnings({ fields, store }: Context, { subject }: RequestedNames): string[] {
  const noPath =
    'Max path length of the generated certificate is zero. This certificate cannot be used to issue intermediate CA certificates.';
  return [
    ...(subject.length === 0 ? [noSubjectWarning] : []),
    ...(hasUrls(readUrls(store)) ? [] : [noUrlsWarning]),
    ...(numberOf(fields, 'max_path_length', -1) === 0 ? [noPath] : []),
  ];
}

const goNames: Readonly<Record<string, string>> = {
  'SHA256-RSA': 'SHA256WithRSA',
  'SHA384-RSA': 'SHA384WithRSA',
  'SHA512-RSA': 'SHA512WithRSA',
  'SHA256-RSAPSS': 'SHA256WithRSAPSS',
  'SHA384-RSAPSS': 'SHA384WithRSAPSS',
  'SHA512-RSAPSS': 'SHA512WithRSAPSS',
  'ECDSA-SHA256': 'ECDSAWithSHA256',
  'ECDSA-SHA384': 'ECDSAWithSHA384',
  'ECDSA-SHA512': 'ECDSAWithSHA512',
  Ed25519: 'Ed25519',
};

/** The API's name of a signature algorithm. */
export const goAlgorithm = (name: string): string => goNames[name] ?? name;
export const knownAlgorithms: readonly string[] = Object.values(goNames);

function deleteAll({ store }: Context): Result {
  for (const issuer of allIssuers(store)) deleteIssuer(store, issuer);
  for (const key of allKeys(store)) store.delete(`key/${key.id}`);
  putDefaultKeyId(store, '');
  return {
    data: null,
    warnings: [
      'DELETE /root deletes all keys and issuers; prefer the new DELETE /key/:key_ref and DELETE /issuer/:issuer_ref for finer granularity, unless removal of all keys and issuers is desired.',
    ],
  };
}
