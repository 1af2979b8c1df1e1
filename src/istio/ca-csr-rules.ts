import type { KeyObject } from 'node:crypto';
import type { Csr } from '../x509/csr.ts';
import { parseCsr } from '../x509/csr.ts';
import type { Caller } from './ca-authenticate.ts';
import { badCsr } from './ca-refusal.ts';

/** Why a request is not signed, or undefined. A strict mode is a longer list of these. */
export type CsrRule = (csr: Csr, caller: Caller) => string | undefined;

const maxCsrText = 65_536;
const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** istiod's tolerance (names asked for are ignored) with two additions: the proof of possession and a key worth signing. */
export const compatRules: readonly CsrRule[] = [
  (csr) => (csr.signatureValid ? undefined : 'the signature of the request does not match its public key'),
  (csr) => weakness(csr.publicKey),
];

/** @throws CaRefusal `bad-csr` in istiod's words */
export function readCsr(text: string, caller: Caller, rules: readonly CsrRule[]): Csr {
  if (text.length > maxCsrText) throw badCsr('certificate signing request is too large');
  if (!text.includes('-----BEGIN ')) throw badCsr('certificate signing request is not properly encoded');
  let csr: Csr;
  try {
    csr = parseCsr(text);
  } catch {
    throw badCsr('failed to parse X.509 certificate signing request');
  }
  for (const rule of rules) {
    const reason = rule(csr, caller);
    if (reason !== undefined) throw badCsr(reason);
  }
  return csr;
}

function weakness(key: KeyObject): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return undefined;
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0;
    return bits >= 2048 && bits <= 8192 ? undefined : `RSA key of ${bits} bits: 2048 to 8192 are signed`;
  }
  if (type === 'ec' && curves.has(details?.namedCurve ?? '')) return undefined;
  return `keys of type ${type ?? 'unknown'} ${details?.namedCurve ?? ''} are not signed`.replace('  ', ' ');
}
