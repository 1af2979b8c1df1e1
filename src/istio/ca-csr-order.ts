import type { KeyObject } from 'node:crypto';
import { messageOf } from '../lib/errors.ts';
import { csrBlock } from '../x509/csr.ts';
import type { Name } from '../x509/name.ts';
import { importSpki } from '../x509/spki.ts';
import { type CsrPolicy, readCsrHere } from './ca-csr-rules.ts';
import { CaRefusal, type RefusalCode } from './ca-refusal.ts';
import type { WorkloadCsr } from './ca-signer.ts';

/** A request on its way to another thread: an array, as to copy an object over costs twice as much. */
export type CsrOrder = readonly [text: string, uris: readonly string[]];

/** Requests that are judged alike. */
export interface CsrBatch {
  readonly policy: CsrPolicy;
  readonly orders: readonly CsrOrder[];
}

/** What comes back: bytes as latin1 text, which costs a tenth of what a Buffer does between threads; or the refusal. */
export type CsrVerdict =
  | readonly [publicKeyDer: string, subject: Name]
  | { readonly code: RefusalCode; readonly message: string; readonly reason: string };

/** Never throws: one bad request must not take those beside it along. */
export function judgeOrder([text, uris]: CsrOrder, policy: CsrPolicy): CsrVerdict {
  try {
    const { publicKeyDer, subject } = readCsrHere(text, uris, policy);
    return [publicKeyDer.toString('latin1'), subject];
  } catch (error) {
    if (error instanceof CaRefusal) {
      const { code, message, reason } = error;
      return { code, message, reason };
    }
    return { code: 'internal', message: 'internal error', reason: messageOf(error) };
  }
}

/** @param text that was judged @throws CaRefusal the one that the other thread found */
export function csrOf(verdict: CsrVerdict, text: string): WorkloadCsr {
  if ('code' in verdict) throw new CaRefusal(verdict.code, verdict.message, verdict.reason);
  return new JudgedCsr(text, ...verdict);
}

class JudgedCsr implements WorkloadCsr {
  readonly #text: string;
  readonly publicKeyDer: Buffer;
  readonly subject: Name;

  constructor(text: string, publicKeyDer: string, subject: Name) {
    this.#text = text;
    this.publicKeyDer = Buffer.from(publicKeyDer, 'latin1');
    this.subject = subject;
  }

  get der(): Buffer {
    return csrBlock(this.#text);
  }
  get publicKey(): KeyObject {
    return importSpki(this.publicKeyDer);
  }
}
