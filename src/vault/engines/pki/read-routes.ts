import { parseCertificate } from '../../../x509/certificate.ts';
import { keyTypeOf } from '../../../x509/keys.ts';
import { nameText } from '../../../x509/name.ts';
import type { Context, Handler, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { rawAnswer } from './crl-routes.ts';
import { colonHex, goTime, plainHex } from './format.ts';
import { certificateOf, findIssuer, noIssuerText, requireIssuer } from './issuers.ts';
import { listResult } from './role-routes.ts';
import { readCertificate, readRevocation } from './store.ts';

const der = 'application/pkix-cert';
const pem = 'application/pem-certificate-chain';

/** Certificates for anyone. An empty mount answers 204, as upstream does. */
export function readRoutes(): Route[] {
  const open = (path: string, read: Handler): Route => ({ path, open: true, operations: { read } });
  return [
    open('ca', (context) => rawAnswer(der, defaultCa(context, 'der'))),
    open('cert/ca/raw', (context) => rawAnswer(der, defaultCa(context, 'der'))),
    open('ca/pem', (context) => rawAnswer(pem, defaultCa(context, 'pem'))),
    open('cert/ca/raw/pem', (context) => rawAnswer(pem, defaultCa(context, 'pem'))),
    open('ca_chain', (context) => rawAnswer(der, chainText(context))),
    open('cert/ca', caJson),
    open('cert/ca_chain', chainJson),
    open('issuer/:reference/der', (context) => rawAnswer(der, certificateOf(issuerOf(context)).der)),
    open('issuer/:reference/pem', (context) => rawAnswer(pem, issuerOf(context).certificate)),
    open('issuer/:reference/json', issuerJson),
    open('cert/:serial/raw', (context) => rawAnswer(der, oneCertificate(context, 'der'))),
    open('cert/:serial/raw/pem', (context) => rawAnswer(pem, oneCertificate(context, 'pem'))),
    { path: 'certs', operations: { list: serials('certs/') } },
    { path: 'certs/detailed', operations: { list: listDetailed } },
    { path: 'certs/revoked', operations: { list: serials('revoked/') } },
  ];
}

const serials =
  (folder: string): Handler =>
  ({ store }) =>
    listResult(store.list(folder).map(colonHex));

/** OpenBao's list with what each certificate is. */
function listDetailed({ store }: Context): Result | undefined {
  const keys = store.list('certs/');
  const info = keys.map((serial) => {
    const certificate = parseCertificate(readCertificate(store, serial) ?? '');
    const { subject, issuer, sans, publicKey, notBefore, notAfter } = certificate;
    const [type = '', size = ''] = (keyTypeOf(publicKey) ?? 'unknown').split('-');
    const shown = {
      common_name: subject.filter((one) => one.type === 'CN').at(-1)?.value ?? '',
      issuer: nameText(issuer),
      key_type: type,
      key_bits: Number(size.replace(/^p/, '') || (type === 'ed25519' ? 256 : 0)),
      not_after: goTime(notAfter),
      not_before: goTime(notBefore),
      dns_names: sans.dns.length === 0 ? null : sans.dns.slice(0, 5),
    };
    return [colonHex(serial), shown] as const;
  });
  if (keys.length === 0) return undefined;
  return { data: { keys: keys.map(colonHex), key_info: Object.fromEntries(info) } };
}

/** Behind the paths of lists, which look alike. */
export const certificateRoute: Route = {
  path: 'cert/:serial',
  open: true,
  operations: { read: certificateJson },
};

function defaultCa({ store }: Context, form: 'der' | 'pem'): Buffer | string | undefined {
  const issuer = findIssuer(store, 'default');
  if (issuer === undefined) return undefined;
  return form === 'der' ? certificateOf(issuer).der : issuer.certificate.trimEnd();
}

const chainText = ({ store }: Context): string =>
  (findIssuer(store, 'default')?.caChain ?? []).map((one) => one.trimEnd()).join('\n');

function caJson(context: Context): Result {
  const certificate = defaultCa(context, 'pem');
  if (certificate === undefined) throw refuse(noIssuerText('default'));
  return { data: { certificate, revocation_time: 0, revocation_time_rfc3339: '' } };
}

function chainJson(context: Context): Result {
  const chain = chainText(context);
  if (chain === '') throw refuse(noIssuerText('default'));
  return {
    data: { certificate: chain, ca_chain: chain, revocation_time: 0, revocation_time_rfc3339: '' },
  };
}

const issuerOf = ({ store, fields }: Context): ReturnType<typeof requireIssuer> =>
  requireIssuer(store, textOf(fields, 'reference'), true);

function issuerJson(context: Context): Result {
  const { certificate, caChain, id, name } = issuerOf(context);
  return { data: { certificate, ca_chain: caChain, issuer_id: id, issuer_name: name } };
}

function oneCertificate({ store, fields }: Context, form: 'der' | 'pem'): Buffer | string | undefined {
  const found = readCertificate(store, plainHex(textOf(fields, 'serial')));
  if (found === undefined) return undefined;
  return form === 'der' ? parseCertificate(found).der : found.trimEnd();
}

function certificateJson(context: Context): Result | undefined {
  const certificate = oneCertificate(context, 'pem');
  if (certificate === undefined) return undefined;
  const revocation = readRevocation(context.store, plainHex(textOf(context.fields, 'serial')));
  return {
    data: {
      certificate,
      revocation_time: Math.floor((revocation?.time ?? 0) / 1000),
      revocation_time_rfc3339: revocation === undefined ? '' : goTime(revocation.time),
      ...(revocation === undefined || revocation.issuer === '' ? {} : { issuer_id: revocation.issuer }),
    },
  };
}
