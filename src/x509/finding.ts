import type { Certificate } from './certificate.ts';

/** What a judge has to say: a stable code, one line of plain words, and how to mend it. */
export interface Finding {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** Absent: an error, which makes what was judged unfit for use. */
  readonly severity?: 'warning';
  readonly certificate?: Certificate;
}
