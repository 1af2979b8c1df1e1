import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { type Certificate, parseCertificates } from '../x509/certificate.ts';
import { judgeChain } from '../x509/chain.ts';
import { createCsr } from '../x509/csr.ts';
import { generateKeyPair, keyMatches, privateKeyPem } from '../x509/keys.ts';
import { spiffeUri } from './identity.ts';
import { writeWorkloadFiles } from './workload-files.ts';
import { CertificateCallError, requestCertificate } from './workload-request.ts';
import type { WorkloadSettings } from './workload-settings.ts';

/** A certificate in use with all that handshakes need; replaced as a whole. */
export interface HeldCertificate {
  readonly leaf: Certificate;
  readonly issuerSerial: string | undefined;
  readonly fetchedAt: number;
  readonly chainPem: string;
  readonly keyPem: string;
  readonly rootPem: string;
  readonly context: SecureContext;
}

export interface WorkloadCertificateOptions {
  readonly settings: WorkloadSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** gRPC codes after which pilot-agent tries again: cancelled, deadline, exhausted, aborted, internal, unavailable. */
const worthRetrying = new Set([1, 4, 8, 10, 13, 14]);
const attempts = 5;
const longestTimer = 86_400_000; // Node's timers end at 24.8 days

/** Gets the workload's certificate as pilot-agent does and keeps it fresh; the last good one stays until a better is here. */
export class WorkloadCertificate {
  readonly uri: string;
  #held: HeldCertificate | undefined;
  #renewals = 0;
  #dueAt = 0;
  #wake = new AbortController();
  #running: Promise<HeldCertificate> | undefined;
  readonly #options: WorkloadCertificateOptions;
  readonly #listeners: ((held: HeldCertificate) => void)[] = [];

  constructor(options: WorkloadCertificateOptions) {
    this.#options = options;
    this.uri = spiffeUri(options.settings.identity);
  }

  get held(): HeldCertificate | undefined {
    return this.#held;
  }

  /** How often the first certificate has been replaced. */
  get reloads(): number {
    return Math.max(0, this.#renewals - 1);
  }

  onRenewed(listener: (held: HeldCertificate) => void): void {
    this.#listeners.push(listener);
  }

  /** A fresh certificate now (calls while one is under way share it). @throws CertificateCallError, MeshrootError */
  renew(): Promise<HeldCertificate> {
    this.#running ??= this.#renew().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Keeps it fresh until `signal` is aborted; `onFirst` is told once there is one. */
  async run(signal: AbortSignal, onFirst: () => void): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      await this.#pause(failures, signal);
      if (signal.aborted) return;
      if (failures === 0 && this.#dueAt > this.#options.clock.now()) continue; // renewed by hand, or a very long life
      try {
        const first = this.#held === undefined;
        await this.renew();
        failures = 0;
        if (first) onFirst();
      } catch (error) {
        failures += 1;
        this.#options.log.error(`cannot get a certificate: ${messageOf(error)}`);
      }
    }
  }

  async #pause(failures: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const ms =
      failures > 0
        ? backoff(failures, this.#held !== undefined)
        : Math.min(this.#dueAt - clock.now(), longestTimer);
    this.#wake = new AbortController();
    if (ms > 0) await clock.sleep(ms, AbortSignal.any([signal, this.#wake.signal])).catch(() => {});
  }

  /** At half of what was left when it came, give or take a hundredth, so that a fleet does not renew at once. */
  #renewalTime({ leaf, fetchedAt }: HeldCertificate): number {
    const { settings, random } = this.#options;
    const ratio = settings.graceRatio + (random() * 2 - 1) * settings.graceJitter;
    return fetchedAt + (leaf.notAfter - fetchedAt) * (1 - ratio);
  }

  async #renew(): Promise<HeldCertificate> {
    const { settings, log } = this.#options;
    const held = await this.#fetch();
    if (settings.output !== undefined) {
      const { keyPem, chainPem, rootPem } = held;
      const files = { 'key.pem': keyPem, 'cert-chain.pem': chainPem, 'root-cert.pem': rootPem };
      await writeWorkloadFiles(settings.output, files, held.leaf.serial);
    }
    this.#held = held;
    this.#renewals += 1;
    this.#dueAt = this.#renewalTime(held);
    this.#wake.abort();
    log.info(`certificate ${held.leaf.serial} of ${this.uri} is in use`, {
      notAfter: new Date(held.leaf.notAfter).toISOString(),
    });
    for (const listener of this.#listeners) listener(held);
    return held;
  }

  async #fetch(): Promise<HeldCertificate> {
    const { settings, clock } = this.#options;
    const key = await generateKeyPair(settings.keyType);
    const csr = await createCsr({ key, sans: { uri: [this.uri] }, sanCritical: true });
    const chain = await this.#ask(csr);
    const [rootPem = ''] = chain.slice(-1);
    const [leaf, ...intermediates] = parseCertificates(chain.slice(0, -1).join('\n'));
    if (leaf === undefined)
      throw new MeshrootError('short-reply', `the CA answered ${chain.length} elements, expected at least 2`);
    const roots = parseCertificates(rootPem);
    const now = clock.now();
    const [finding] = judgeChain({ leaf, intermediates, roots, now, purpose: 'client' });
    if (finding !== undefined)
      throw new MeshrootError(finding.code, `the CA's reply does not verify: ${finding.message}`);
    if (!keyMatches(leaf, key.privateKey))
      throw new MeshrootError('foreign-key', 'the CA certified another key than ours');
    const chainPem = [leaf, ...intermediates].map((certificate) => certificate.pem).join('');
    const keyPem = privateKeyPem(key.privateKey, settings.pkcs8 ? 'pkcs8' : 'traditional').reveal();
    const context = createSecureContext({ cert: chainPem, key: keyPem, ca: rootPem, minVersion: 'TLSv1.2' });
    return {
      leaf,
      issuerSerial: intermediates[0]?.serial,
      fetchedAt: now,
      chainPem,
      keyPem,
      rootPem,
      context,
    };
  }

  async #ask(csr: string): Promise<readonly string[]> {
    const { settings, clock, random } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        const [rootPem, token] = await Promise.all([
          readNeeded(settings.caRootFile, 'the root of the CA (CA_ROOT_CA)'),
          readNeeded(settings.tokenFile, 'the service account token (TOKEN)'),
        ]);
        const { caAddress: address, caName: serverName, ttl, clusterId } = settings;
        return await requestCertificate({
          address,
          serverName,
          rootPem,
          csr,
          ttl,
          clusterId,
          token: token.trim(),
        });
      } catch (error) {
        const retry = error instanceof CertificateCallError && worthRetrying.has(error.grpcCode);
        if (!retry || attempt === attempts) throw error;
        await clock.sleep(100 * 2 ** (attempt - 1) * (0.9 + 0.2 * random()));
      }
    }
  }
}

/** Without a certificate nothing works yet, so it is tried every second; with one there is time. */
function backoff(failures: number, holdsOne: boolean): number {
  return Math.min(holdsOne ? 30_000 : 1000, 250 * 2 ** Math.min(failures, 7));
}

async function readNeeded(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    throw new MeshrootError('file-missing', `cannot read ${what} at ${path}`);
  }
}
