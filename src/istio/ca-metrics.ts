import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../lib/clock.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { CaRefusal, RefusalCode } from './ca-refusal.ts';
import type { TrustSet } from './ca-signer.ts';

/** istiod's name of the error behind `citadel_server_csr_sign_err_count{error}`. */
const signErrors: Partial<Record<RefusalCode, string>> = {
  'bad-csr': 'CSR_ERROR',
  'ttl-too-long': 'TTL_ERROR',
  'signing-failed': 'CERT_GEN_ERROR',
};

/** What istiod counts as a failed authentication; a signer that is away is none. */
const notAuthenticated = new Set<RefusalCode>([
  'unauthenticated',
  'csr-not-allowed',
  'impersonation-refused',
  'reviewer-unavailable',
]);

const day = 86_400_000;

/** What the gauges are read from. */
export interface CaFacts {
  readonly trust: () => TrustSet;
  readonly clock: Clock;
  /** Requests that wait. */
  readonly depth: () => number;
  readonly serving: () => Certificate;
  /** The intermediate that signs while a Vault is away, where there is one. */
  readonly reserve: () => Certificate | undefined;
  /** Until when certificates can be signed without a Vault, in ms since the epoch. */
  readonly signsUntil: () => number;
}

/** istiod's citadel_server_* by their names, and what istiod does not count: refused reloads, time left. */
export class CaMetrics {
  readonly registry = new Registry();
  readonly #requests = this.#counter(
    'citadel_server_csr_count',
    'The number of CSRs received by Citadel server.',
  );
  readonly #issued = this.#counter(
    'citadel_server_success_cert_issuance_count',
    'The number of certificates issuances that have succeeded.',
  );
  readonly #authentication = this.#counter(
    'citadel_server_authentication_failure_count',
    'The number of authentication failures.',
  );
  readonly #parsing = this.#counter(
    'citadel_server_csr_parsing_err_count',
    'The number of errors occurred when parsing the CSR.',
  );
  readonly #identity = this.#counter(
    'citadel_server_id_extraction_err_count',
    'The number of errors occurred when extracting the ID from CSR.',
  );
  readonly #signing = new Counter({
    name: 'citadel_server_csr_sign_err_count',
    help: 'The number of errors occurred when signing the CSR.',
    labelNames: ['error'],
    registers: [this.registry],
  });
  readonly #refusals = new Counter({
    name: 'meshroot_ca_refusals_total',
    help: 'Refused certificate requests by reason.',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly #reloads = new Counter({
    name: 'meshroot_ca_bundle_reloads_total',
    help: 'Reloads of the plugged-in CA files by result (ok, or the reason why they were refused).',
    labelNames: ['result'],
    registers: [this.registry],
  });
  readonly #latency = new Histogram({
    name: 'meshroot_ca_certificate_seconds',
    help: 'Time from request to answer.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [this.registry],
  });

  readonly #signer = new Histogram({
    name: 'meshroot_ca_signer_seconds',
    help: 'Time of a signer that is not in this process, by result (ok, failed, reserve).',
    labelNames: ['result'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [this.registry],
  });

  #away = false;

  constructor({ trust, clock, depth, serving, reserve, signsUntil }: CaFacts) {
    this.#identity.inc(0);
    this.#expiry('root_cert', 'root cert', () => trust().roots[0]?.notAfter, clock);
    this.#expiry('cert_chain', 'cert chain', () => (trust().chain[0] ?? trust().certificate).notAfter, clock);
    const gauge = (name: string, help: string, value: () => number) => this.#gauge(name, help, value);
    gauge(
      'meshroot_ca_signer_days_left',
      'Days until the signing certificate expires.',
      () => (trust().certificate.notAfter - clock.now()) / day,
    );
    gauge(
      'meshroot_ca_chain_mismatch',
      '1 when the served chain does not hold the signing certificate.',
      () => (matches(trust()) ? 0 : 1),
    );
    this.#daysLeft(trust, { serving, reserve }, clock);
    gauge('meshroot_ca_queue_depth', 'Requests that wait for their turn.', depth);
    gauge(
      'meshroot_ca_signer_away',
      '1 while the breaker keeps requests from a signer that does not answer.',
      () => (this.#away ? 1 : 0),
    );
    gauge(
      'meshroot_ca_outage_budget_seconds',
      'For how long certificates are signed when the Vault goes away now: the life of the files or of the reserve.',
      () => Math.max(0, signsUntil() - clock.now()) / 1000,
    );
    gauge('meshroot_ca_roots', 'Number of roots in the bundle.', () => trust().roots.length);
  }

  received(): void {
    this.#requests.inc();
  }

  succeeded(ms: number): void {
    this.#issued.inc();
    this.#latency.observe(ms / 1000);
  }

  refused(refusal: CaRefusal, ms: number): void {
    this.#refusals.inc({ code: refusal.code });
    this.#latency.observe(ms / 1000);
    if (notAuthenticated.has(refusal.code)) this.#authentication.inc();
    if (refusal.code === 'bad-csr') this.#parsing.inc();
    const error = signErrors[refusal.code];
    if (error !== undefined) this.#signing.inc({ error });
  }

  signed({
    ok,
    ms,
    reserve,
  }: {
    readonly ok: boolean;
    readonly ms: number;
    readonly reserve: boolean;
  }): void {
    this.#signer.observe({ result: reserve ? 'reserve' : ok ? 'ok' : 'failed' }, ms / 1000);
  }

  /** Told by the breaker of a signer that is elsewhere. */
  signerAway(away: boolean): void {
    this.#away = away;
  }

  reloaded(result: { ok: boolean; code?: string }): void {
    this.#reloads.inc({ result: result.ok ? 'ok' : (result.code ?? 'refused') });
  }

  /** istiod shows the first root and the first certificate of the chain only. */
  #daysLeft(
    trust: () => TrustSet,
    others: Readonly<Record<'serving' | 'reserve', () => Certificate | undefined>>,
    clock: Clock,
  ): void {
    const gauge: Gauge<'kind' | 'serial'> = new Gauge({
      name: 'meshroot_ca_certificate_days_left',
      help: 'Days until each certificate that the CA works with expires, by kind (signer, chain, root, serving, reserve).',
      labelNames: ['kind', 'serial'],
      registers: [this.registry],
      collect: (): void => {
        gauge.reset();
        const { certificate, chain, roots } = trust();
        const set = (kind: string, one: Certificate | undefined) =>
          one && gauge.set({ kind, serial: one.serial }, (one.notAfter - clock.now()) / day);
        set('signer', certificate);
        for (const one of chain) set('chain', one);
        for (const one of roots) set('root', one);
        for (const [kind, one] of Object.entries(others)) set(kind, one());
      },
    });
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.registry] });
  }

  #gauge(name: string, help: string, value: () => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.registry],
      collect: (): void => gauge.set(value()),
    });
  }

  /** Unlike istiod's these follow every reload, and negative seconds say how long ago it was. */
  #expiry(which: string, what: string, notAfter: () => number | undefined, clock: Clock): void {
    this.#gauge(
      `citadel_server_${which}_expiry_timestamp`,
      `The unix timestamp, in seconds, when Citadel ${what} will expire.`,
      () => (notAfter() ?? 0) / 1000,
    );
    this.#gauge(
      `citadel_server_${which}_expiry_seconds`,
      `The time remaining, in seconds, before Citadel ${what} will expire.`,
      () => ((notAfter() ?? 0) - clock.now()) / 1000,
    );
  }
}

function matches({ certificate, chain, roots }: TrustSet): boolean {
  return [...chain, ...roots].some(({ fingerprint }) => fingerprint === certificate.fingerprint);
}
