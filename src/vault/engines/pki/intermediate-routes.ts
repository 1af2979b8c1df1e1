import { copiedExtension } from '../../../x509/access-extensions.ts';
import { parseCertificate } from '../../../x509/certificate.ts';
import { createCsr } from '../../../x509/csr.ts';
import { basicConstraints, extendedKeyUsage, subjectAltName } from '../../../x509/extensions.ts';
import { encodeAndSign } from '../../../x509/issuer.ts';
import { extensionOids } from '../../../x509/oids.ts';
import { readCertificateExtensions } from '../../../x509/read-certificate.ts';
import { clampNotAfter } from '../../../x509/validity-rule.ts';
import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, type Fields, listOf, numberOf, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { caSchema, generateSchema } from './ca-schema.ts';
import { altNames, certify, checkKey, csrOf, signatureFor } from './certify.ts';
import {
  colonHex,
  formatOf,
  inFormat,
  noSubjectWarning,
  noUrlsWarning,
  privateKeyFields,
  trimmed,
  withWarnings,
} from './format.ts';
import { askedKeyId } from './issue-routes.ts';
import { importKey, newKeyName, requireSigner, type Signer } from './issuers.ts';
import { checkPurposeIds } from './object-id.ts';
import { requestedNames } from './requested-names.ts';
import { caRole } from './role.ts';
import { caKey, caUsage, nameConstraints } from './root-routes.ts';
import { putCertificate, readUrls } from './store.ts';
import { hasUrls, purposesOf, urlExtensions, urlsFor } from './usages.ts';
import { validityOf } from './validity.ts';

/** Intermediates: a request for one, one signed by an issuer of this mount, and cross-signing. */
export function intermediateRoutes(): Route[] {
  const generate = { fields: generateSchema, operations: { update: generateCsr } } as const;
  const signFields = {
    ...caSchema,
    csr: 'string',
    use_csr_values: 'bool',
    issuer_ref: 'string',
    ext_key_usage: 'list',
    ext_key_usage_oids: 'list',
  } as const;
  const sign = { fields: signFields, operations: { update: signIntermediate } } as const;
  const selfIssued = {
    fields: { certificate: 'string', issuer_ref: 'string', require_matching_certificate_algorithms: 'bool' },
    sudo: true,
    operations: { update: signSelfIssued },
  } as const;
  return [
    { path: 'intermediate/generate/:exported', ...generate },
    { path: 'issuers/generate/intermediate/:exported', ...generate },
    {
      path: 'intermediate/cross-sign',
      fields: generateSchema,
      operations: {
        update: (context) => generateCsr({ ...context, fields: { ...context.fields, exported: 'existing' } }),
      },
    },
    { path: 'root/sign-intermediate', ...sign },
    { path: 'issuer/:issuer_ref/sign-intermediate', ...sign },
    { path: 'root/sign-self-issued', ...selfIssued },
    { path: 'issuer/:issuer_ref/sign-self-issued', ...selfIssued },
  ];
}

async function generateCsr(context: Context): Promise<Result> {
  const { fields, store } = context;
  const format = formatOf(fields);
  const keyName = newKeyName(store, fields);
  const role = caRole(fields);
  const names = requestedNames({ fields, role, csr: undefined, displayName: '' });
  const { pair, isExported } = await caKey(context);
  const pem = await createCsr({
    key: pair,
    subject: names.subject,
    extensions: [
      ...(altNames(names).length === 0 ? [] : [subjectAltName(names.sans, false, names.others)]),
      ...(booleanOf(fields, 'add_basic_constraints') ? [basicConstraints(true)] : []),
    ],
  });
  const { key } = importKey(context, pair, keyName);
  const secret = isExported ? privateKeyFields(pair.privateKey, fields, format) : {};
  const csr = inFormat(pem, format);
  const data = {
    csr: format === 'pem_bundle' && isExported ? `${String(secret.private_key)}\n${csr}` : csr,
    key_id: key.id,
    ...secret,
  };
  const advice = `${noUrlsWarning} Since this certificate is an intermediate, it might be useful to regenerate this certificate after fixing this problem for the root mount.`;
  return { data, ...withWarnings(hasUrls(readUrls(store)) ? [] : [advice]) };
}

/** Never past the end of the issuer: upstream only warns of such a certificate, which then breaks the chain. */
async function signIntermediate(context: Context): Promise<Result> {
  const { fields, store } = context;
  const reference = textOf(fields, 'issuer_ref') || 'default';
  const format = formatOf(fields);
  const role = caRole(fields);
  const signer = requireSigner(store, reference, 'issuing-certificates');
  const csr = csrOf(fields);
  checkKey(csr.publicKey, role);
  const isVerbatim = booleanOf(fields, 'use_csr_values');
  const names = requestedNames({ fields, role, csr, displayName: '' });
  const validity = validityOf(context, role, { notAfter: signer.certificate.notAfter, behavior: 'err' });
  const length = pathLength(fields, signer);
  const skid = askedKeyId(fields);
  const { certificate, serial } = await certify(context, {
    signer,
    role,
    publicKey: csr.publicKey,
    publicKeyDer: csr.publicKeyDer,
    names,
    validity,
    extensions: {
      usage: [caUsage(fields), ...caPurposes(fields)],
      constraints: [basicConstraints(true, length)],
      policies: [],
    },
    ...(skid === undefined ? {} : { subjectKeyId: skid }),
    verbatim: isVerbatim ? withoutUsage(csr) : undefined,
    more: nameConstraints(fields),
  });
  putCertificate(store, serial, certificate.pem);
  const chain = [trimmed(certificate), ...signer.chain];
  const data = {
    certificate:
      inFormat(certificate.pem, format) + (format === 'pem_bundle' ? `\n${signer.chain.join('\n')}` : ''),
    issuing_ca: inFormat(signer.issuingCa, format),
    ca_chain: format === 'der' ? chain.map((pem) => inFormat(pem, format)) : chain,
    serial_number: colonHex(serial),
    expiration: Math.floor(validity.notAfter / 1000),
  };
  const isNameless = isVerbatim ? csr.subject.length === 0 : names.subject.length === 0;
  const warnings = [
    ...(isNameless ? [noSubjectWarning] : []),
    ...(hasUrls(urlsFor(store, signer.stored)) ? [] : [noUrlsWarning]),
    ...(length === 0
      ? [
          'Max path length of the signed certificate is zero. This certificate cannot be used to issue intermediate CA certificates.',
        ]
      : []),
    ...validity.warnings,
  ];
  return { data, ...withWarnings(warnings) };
}

/** What certificates below it may be used for, as many programs read it. @throws Refusal 400 */
function caPurposes(fields: Fields): Buffer[] {
  const ids = listOf(fields, 'ext_key_usage_oids');
  checkPurposeIds(ids);
  const purposes = new Set([...purposesOf(listOf(fields, 'ext_key_usage')), ...ids]);
  return purposes.size === 0 ? [] : [extendedKeyUsage(...purposes)];
}

/** A CSR may name itself; what a CA is used for is said by who signs it. */
const withoutUsage = (csr: ReturnType<typeof csrOf>): ReturnType<typeof csrOf> => ({
  ...csr,
  extensions: csr.extensions.filter(
    ({ oid }) => oid !== extensionOids.keyUsage && oid !== extensionOids.extendedKeyUsage,
  ),
});

/** What was asked for, else one less than the issuer's. @throws Refusal 400 when the issuer may sign no CA */
function pathLength(fields: Fields, { certificate }: Signer): number | undefined {
  if (certificate.pathLength === 0) {
    throw refuse(
      'signing certificate has a max path length of zero, and cannot issue further CA certificates',
    );
  }
  if ('max_path_length' in fields) {
    const asked = numberOf(fields, 'max_path_length');
    return asked < 0 ? undefined : asked;
  }
  return certificate.pathLength === undefined ? undefined : certificate.pathLength - 1;
}

/** Another root's certificate, signed anew by an issuer of ours: the bridge of a change of roots. */
async function signSelfIssued(context: Context): Promise<Result> {
  const { fields, store, clock } = context;
  const pem = textOf(fields, 'certificate');
  if (!pem.includes('-----BEGIN ')) throw refuse('certificate could not be PEM-decoded');
  let given: ReturnType<typeof parseCertificate>;
  try {
    given = parseCertificate(pem);
  } catch (error) {
    throw refuse(`error parsing certificate: ${error instanceof Error ? error.message : 'unknown'}`);
  }
  if (!given.isCa) throw refuse('given certificate is not a CA certificate');
  if (!given.issuerDer.equals(given.subjectDer)) throw refuse('given certificate is not self-issued');
  const signer = requireSigner(store, textOf(fields, 'issuer_ref') || 'default', 'issuing-certificates');
  const urls = urlExtensions(store, signer.stored);
  const kept = readCertificateExtensions(given.der).filter(({ oid }) => !replaced.includes(oid));
  const certificate = await encodeAndSign({
    issuerName: signer.prepared.name,
    subject: given.subject,
    subjectDer: given.subjectDer,
    publicKey: given.publicKey,
    extensions: [
      ...kept.map(copiedExtension),
      ...(signer.prepared.authorityKeyId === undefined ? [] : [signer.prepared.authorityKeyId]),
      ...urls.access,
      ...urls.points,
    ],
    algorithm: signatureFor(signer, 256, false),
    signingKey: signer.privateKey,
    now: clock.now(),
    notBefore: given.notBefore,
    notAfter: clampNotAfter(given.notAfter, signer.certificate),
    serial: Buffer.from(given.serial, 'hex'),
  });
  return { data: { certificate: trimmed(certificate), issuing_ca: signer.issuingCa } };
}

const replaced: readonly string[] = [
  extensionOids.authorityKeyId,
  '1.3.6.1.5.5.7.1.1',
  '2.5.29.31',
  '2.5.29.46',
];
