import { parseCertificate } from '../../../x509/certificate.ts';
import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, listOf, textOf } from '../../core/fields.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { colonHex, plainHex, trimmed } from './schema.ts';
import {
  deleteIssuers,
  findIssuer,
  listCertificates,
  listIssuers,
  putUrls,
  readCertificate,
  readDefaultId,
  readUrls,
  type StoredIssuer,
} from './store.ts';

/** What anyone may read, and the little there is to configure. */
export function readRoutes(): Route[] {
  return [
    { path: 'ca', open: true, operations: { read: (context) => rawCa(context, 'der') } },
    { path: 'ca/pem', open: true, operations: { read: (context) => rawCa(context, 'pem') } },
    { path: 'ca_chain', open: true, operations: { read: rawChain } },
    { path: 'cert/ca', open: true, operations: { read: (context) => caJson(context) } },
    { path: 'cert/ca_chain', open: true, operations: { read: (context) => caJson(context) } },
    { path: 'cert/:serial', open: true, operations: { read: oneCertificate } },
    { path: 'certs', operations: { list: ({ store }) => keys(listCertificates(store).map(colonHex)) } },
    { path: 'issuers', open: true, operations: { list: issuers } },
    { path: 'issuer/:reference', operations: { read: oneIssuer } },
    { path: 'issuer/:reference/json', open: true, operations: { read: oneIssuer } },
    { path: 'root', sudo: true, operations: { delete: deleteRoot } },
    urlsRoute,
  ];
}

const urlsRoute: Route = {
  path: 'config/urls',
  fields: {
    issuing_certificates: 'list',
    crl_distribution_points: 'list',
    ocsp_servers: 'list',
    enable_templating: 'bool',
  },
  operations: {
    read: ({ store }) => ({ data: { ...readUrls(store) } }),
    update: ({ store, fields }) => {
      const before = readUrls(store);
      const after = {
        issuing_certificates: pick('issuing_certificates'),
        crl_distribution_points: pick('crl_distribution_points'),
        ocsp_servers: pick('ocsp_servers'),
        enable_templating: booleanOf(fields, 'enable_templating', before.enable_templating),
      };
      putUrls(store, after);
      return { data: after };

      function pick(
        name: 'issuing_certificates' | 'crl_distribution_points' | 'ocsp_servers',
      ): readonly string[] {
        return name in fields ? listOf(fields, name) : before[name];
      }
    },
  },
};

const keys = (names: readonly string[]): Result | undefined =>
  names.length === 0 ? undefined : { data: { keys: names } };

function defaultIssuer(context: Context): StoredIssuer | undefined {
  return findIssuer(context.store, 'default');
}

function rawCa(context: Context, form: 'der' | 'pem'): Result {
  const contentType = form === 'der' ? 'application/pkix-cert' : 'application/pem-certificate-chain';
  const issuer = defaultIssuer(context);
  if (issuer === undefined) return { status: 204, raw: { contentType, body: '' } };
  const certificate = parseCertificate(issuer.certificate);
  return { raw: { contentType, body: form === 'der' ? certificate.der : trimmed(certificate) } };
}

function rawChain(context: Context): Result {
  const issuer = defaultIssuer(context);
  const body = issuer?.certificate.trimEnd() ?? '';
  return {
    ...(issuer === undefined ? { status: 204 } : {}),
    raw: { contentType: 'application/pkix-cert', body },
  };
}

function caJson(context: Context): Result {
  const issuer = defaultIssuer(context);
  if (issuer === undefined) throw refuse('no default issuer currently configured');
  return certificateJson(issuer.certificate);
}

function oneCertificate({ store, fields }: Context): Result | undefined {
  const pem = readCertificate(store, plainHex(textOf(fields, 'serial')));
  return pem === undefined ? undefined : certificateJson(pem);
}

const certificateJson = (pem: string): Result => ({
  data: { certificate: pem.trimEnd(), revocation_time: 0, revocation_time_rfc3339: '' },
});

function issuers({ store }: Context): Result | undefined {
  const found = listIssuers(store).flatMap((id) => findIssuer(store, id) ?? []);
  if (found.length === 0) return undefined;
  const info = found.map((issuer) => [
    issuer.id,
    {
      is_default: issuer.id === readDefaultId(store),
      issuer_name: issuer.name,
      key_id: issuer.keyId,
      serial_number: colonHex(parseCertificate(issuer.certificate).serial),
    },
  ]);
  return { data: { keys: found.map(({ id }) => id), key_info: Object.fromEntries(info) } };
}

function oneIssuer({ store, fields }: Context): Result {
  const reference = textOf(fields, 'reference');
  const issuer = findIssuer(store, reference);
  if (issuer === undefined) {
    throw refuseWrapped(`unable to find PKI issuer for reference: ${reference}`, 500, 'pki-no-issuer');
  }
  return {
    data: {
      ca_chain: [issuer.certificate.trimEnd()],
      certificate: issuer.certificate.trimEnd(),
      issuer_id: issuer.id,
      issuer_name: issuer.name,
      key_id: issuer.keyId,
      leaf_not_after_behavior: 'err',
      manual_chain: null,
      revoked: false,
      usage: 'issuing-certificates,read-only',
    },
  };
}

function deleteRoot({ store }: Context): Result {
  deleteIssuers(store);
  return { data: null, warnings: ['all issuers and their keys were deleted'] };
}
