import type { Secret } from '../lib/secret.ts';

/** What the webhook serves with. */
export interface ServingCertificate {
  /** PEM, leaf first. */
  readonly certificate: string;
  /** PEM. */
  readonly key: Secret<string>;
}

/** Where the webhook's certificate comes from and how it stays valid. */
export interface CertificateSource {
  readonly current: ServingCertificate;
  /** PEM of the CA that API servers must trust; undefined when somebody else tells them. */
  readonly caBundle: string | undefined;
  /** Calls `onChange` after each change of `current` or `caBundle`, until `signal` is aborted. */
  follow(onChange: () => void, signal: AbortSignal): Promise<void>;
}
