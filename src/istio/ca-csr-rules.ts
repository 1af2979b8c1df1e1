import type { KeyObject } from 'node:crypto';
import type { Csr } from '../x509/csr.ts';
import { parseCsr, parseCsrAside } from '../x509/csr.ts';
import { extensionOids } from '../x509/oids.ts';
import { knownExtensions } from '../x509/read-extensions.ts';
import { curveOf } from '../x509/spki.ts';
import { badCsr, CaRefusal } from './ca-refusal.ts';
import type { WorkloadCsr } from './ca-signer.ts';

/** Why a request is not signed for `uris` (all that its certificate will name), or undefined. */
export type CsrRule = (csr: Csr, uris: readonly string[]) => string | undefined;

export interface CsrPolicy {
  /** `strict`: a request may only ask for what its caller is (istio-csr's rules). `compat`: names are ignored, as by istiod. */
  readonly mode: 'strict' | 'compat';
  readonly minRsaBits: number;
}

export const defaultCsrPolicy: CsrPolicy = { mode: 'strict', minRsaBits: 2048 };

/** `readCsr`, wherever it is done. */
export type ReadCsr = (text: string, uris: readonly string[], policy: CsrPolicy) => Promise<WorkloadCsr>;

const maxCsrText = 65_536;
const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/**
 * Reads and judges a request: the proof of possession and a key worth signing always, its names and extensions in strict
 * mode. A request without any name asks for nothing, so it is signed in both modes.
 * @throws CaRefusal `bad-csr` (3) in istiod's words, `csr-not-allowed` (16, as istio-csr) for one that asks for more than it may
 */
export async function readCsr(text: string, uris: readonly string[], policy: CsrPolicy): Promise<Csr> {
  checkText(text);
  return judged(await parseCsrAside(text).catch(unreadable), uris, policy);
}

/** `readCsr` at once, for a thread that has nothing else to do. */
export function readCsrHere(text: string, uris: readonly string[], policy: CsrPolicy): Csr {
  checkText(text);
  return judged(parsed(text), uris, policy);
}

function checkText(text: string): void {
  if (text.length > maxCsrText) throw badCsr('certificate signing request is too large');
  if (!text.includes('-----BEGIN ')) throw badCsr('certificate signing request is not properly encoded');
}

function parsed(text: string): Csr {
  try {
    return parseCsr(text);
  } catch {
    return unreadable();
  }
}

function unreadable(): never {
  throw badCsr('failed to parse X.509 certificate signing request');
}

function judged(csr: Csr, uris: readonly string[], policy: CsrPolicy): Csr {
  if (!csr.signatureValid) throw badCsr('the signature of the request does not match its public key');
  const weak = weakness(csr.publicKey, policy.minRsaBits);
  if (weak !== undefined) throw badCsr(weak);
  if (policy.mode === 'compat') return csr;
  for (const rule of strictRules) {
    const reason = rule(csr, uris);
    if (reason !== undefined) throw new CaRefusal('csr-not-allowed', 'request authenticate failure', reason);
  }
  return csr;
}

const grantable = new Set<string>([
  extensionOids.subjectAltName,
  extensionOids.keyUsage,
  extensionOids.extendedKeyUsage,
]);
const usages = new Set<string>(['digitalSignature', 'keyEncipherment']);
const purposes = new Set<string>(['serverAuth', 'clientAuth']);

/** What istio-csr lets through, and nothing else: no names but the caller's own identity, no powers but a workload's. */
export const strictRules: readonly CsrRule[] = [
  ({ subject }) =>
    subject.some(({ type, value }) => type === 'CN' && value !== '')
      ? 'the request has a common name'
      : undefined,
  ({ sans }) =>
    sans.dns.length + sans.ip.length + sans.email.length > 0
      ? 'the request has names that are not URIs'
      : undefined,
  ({ sans }, uris) => {
    if (sans.uri.length === 0 || sameNames(sans.uri, uris)) return undefined;
    return 'the request names another identity than its caller has';
  },
  ({ extensions }) => {
    const other = extensions.find(({ oid }) => !grantable.has(oid));
    return other === undefined ? undefined : `the request has extension ${other.oid}`;
  },
  ({ extensions }) => {
    if (extensions.every(({ oid }) => oid === extensionOids.subjectAltName)) return undefined;
    const { keyUsage = new Set(), extendedKeyUsage = [] } = knownExtensions(extensions);
    const granted =
      [...keyUsage].every((usage) => usages.has(usage)) && extendedKeyUsage.every((one) => purposes.has(one));
    return granted ? undefined : 'the request asks for more usages than a workload has';
  },
];

function sameNames(asked: readonly string[], uris: readonly string[]): boolean {
  return asked.length === uris.length && asked.every((uri) => uris.includes(uri));
}

function weakness(key: KeyObject, minRsaBits: number): string | undefined {
  const { asymmetricKeyType: type } = key;
  if (type === 'ed25519') return undefined;
  if (type === 'rsa') {
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    return bits >= minRsaBits && bits <= 8192
      ? undefined
      : `RSA key of ${bits} bits: ${minRsaBits} to 8192 are signed`;
  }
  const curve = curveOf(key) ?? '';
  if (type === 'ec' && curves.has(curve)) return undefined;
  return `keys of type ${type ?? 'unknown'} ${curve} are not signed`.replace('  ', ' ');
}
