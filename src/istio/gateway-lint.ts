import { messageOf } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import { type Certificate, parseCertificates } from '../x509/certificate.ts';
import { judgeChain } from '../x509/chain.ts';
import { describeCertificate } from '../x509/describe.ts';
import type { Finding } from '../x509/finding.ts';
import { keyMatches, parsePrivateKey } from '../x509/keys.ts';
import { type GatewayPart, gatewayFiles } from './gateway-files.ts';

/** PEM texts of a gateway. */
export interface GatewayFiles {
  /** The certificate first, then its issuers; the root may be left out. */
  readonly serverCertificate: string;
  readonly privateKey: Secret<string>;
  /** Trusted issuers of clients. */
  readonly caCertificates: string;
}

/** Whether a gateway should be given these files. [] = fit for use; TLS servers take the worst pairs without a word. */
export function judgeGateway(files: GatewayFiles, now: number): Finding[] {
  const own = read('serverCertificate', files.serverCertificate);
  const cas = read('caCertificates', files.caCertificates);
  const [leaf, ...intermediates] = own.certificates;
  return [
    ...own.findings,
    ...cas.findings,
    ...judgeKey(files.privateKey, leaf),
    ...(leaf === undefined ? [] : judgeOwn(leaf, intermediates, now)),
    ...judgeCas(cas.certificates, now),
  ];
}

interface Read {
  readonly certificates: readonly Certificate[];
  readonly findings: readonly Finding[];
}

function read(part: GatewayPart, text: string): Read {
  const file = gatewayFiles[part];
  try {
    const certificates = parseCertificates(text);
    const none = { code: 'no-certificate', message: `${file} holds no certificate` };
    return { certificates, findings: certificates.length === 0 ? [none] : [] };
  } catch (error) {
    return {
      certificates: [],
      findings: [{ code: 'bad-certificate', message: `${file}: ${messageOf(error)}` }],
    };
  }
}

function judgeKey(privateKey: Secret<string>, leaf: Certificate | undefined): Finding[] {
  const file = gatewayFiles.privateKey;
  try {
    const key = parsePrivateKey(privateKey.reveal());
    if (leaf === undefined || keyMatches(leaf, key.privateKey)) return [];
    return [
      {
        code: 'key-mismatch',
        message: `${file} is not the key of ${describeCertificate(leaf)} in ${gatewayFiles.serverCertificate}`,
        hint: 'write both in one change of the secret, so that no reader gets half of it',
      },
    ];
  } catch (error) {
    return [{ code: 'bad-private-key', message: `${file}: ${messageOf(error)}` }];
  }
}

/** The last certificate that is sent stands for the root, which clients have and servers need not send. */
function judgeOwn(leaf: Certificate, intermediates: readonly Certificate[], now: number): Finding[] {
  const roots = [intermediates.at(-1) ?? leaf];
  return [...judgeChain({ leaf, intermediates, roots, now }), ...judgeUse(leaf)];
}

function judgeUse(leaf: Certificate): Finding[] {
  if (leaf.isCa) {
    const message = `${gatewayFiles.serverCertificate} starts with the CA ${describeCertificate(leaf)}`;
    return [
      {
        code: 'ca-as-leaf',
        message,
        hint: 'put the certificate of the gateway first, its issuers behind it',
      },
    ];
  }
  const { dns, ip, uri } = leaf.sans;
  if (dns.length + ip.length + uri.length > 0) return [];
  const message = `${describeCertificate(leaf)} names no host: it has no subject alternative name`;
  return [{ code: 'no-host', message, hint: 'clients do not look at the common name (RFC 9525)' }];
}

/** One that is valid is enough: old and new ones stand side by side while a CA is replaced. */
function judgeCas(cas: readonly Certificate[], now: number): Finding[] {
  if (cas.length === 0 || cas.some((ca) => ca.notBefore <= now && now < ca.notAfter)) return [];
  return [{ code: 'ca-expired', message: `no certificate in ${gatewayFiles.caCertificates} is valid now` }];
}
