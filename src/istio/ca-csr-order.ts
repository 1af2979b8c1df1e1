import type { KeyObject } from 'node:crypto';
import { messageOf } from '../lib/errors.ts';
import type { Name } from '../x509/name.ts';
import { importSpki } from '../x509/spki.ts';
import { type CsrPolicy, readCsrHere } from './ca-csr-rules.ts';
import { CaRefusal, type RefusalCode } from './ca-refusal.ts';
import type { WorkloadCsr } from './ca-signer.ts';

/** A request on its way to another thread. */
export interface CsrOrder {
  readonly text: string;
  readonly uris: readonly string[];
  readonly policy: CsrPolicy;
}

/** What comes back: bytes as latin1 text, which costs a tenth of what a Buffer does between threads; or the refusal. */
export type CsrVerdict =
  | { readonly der: string; readonly publicKeyDer: string; readonly subject: Name }
  | { readonly code: RefusalCode; readonly message: string; readonly reason: string };

/** Never throws: one bad request must not take those beside it along. */
export function judgeOrder({ text, uris, policy }: CsrOrder): CsrVerdict {
  try {
    const { der, publicKeyDer, subject } = readCsrHere(text, uris, policy);
    return { der: der.toString('latin1'), publicKeyDer: publicKeyDer.toString('latin1'), subject };
  } catch (error) {
    if (error instanceof CaRefusal) {
      const { code, message, reason } = error;
      return { code, message, reason };
    }
    return { code: 'internal', message: 'internal error', reason: messageOf(error) };
  }
}

/** @throws CaRefusal the one that the other thread found */
export function csrOf(verdict: CsrVerdict): WorkloadCsr {
  if ('code' in verdict) throw new CaRefusal(verdict.code, verdict.message, verdict.reason);
  return new JudgedCsr(verdict.der, verdict.publicKeyDer, verdict.subject);
}

class JudgedCsr implements WorkloadCsr {
  readonly #der: string;
  readonly publicKeyDer: Buffer;
  readonly subject: Name;

  constructor(der: string, publicKeyDer: string, subject: Name) {
    this.#der = der;
    this.publicKeyDer = Buffer.from(publicKeyDer, 'latin1');
    this.subject = subject;
  }

  get der(): Buffer {
    return Buffer.from(this.#der, 'latin1');
  }
  get publicKey(): KeyObject {
    return importSpki(this.publicKeyDer);
  }
}
