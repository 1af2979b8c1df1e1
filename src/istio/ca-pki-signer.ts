import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VaultResponse } from '../client/vault-response.ts';
import { codeOf, MeshrootError } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';
import { type Certificate, isSelfSigned, parseCertificate, parseCertificates } from '../x509/certificate.ts';
import { judgeChain } from '../x509/chain.ts';
import { createCsr } from '../x509/csr.ts';
import { toPem } from '../x509/pem.ts';
import { spkiOf } from '../x509/spki.ts';
import { decideReload, reloadReasons } from './ca-reload.ts';
import type { Issued, ServingOrder, Signer, TrustSet, WorkloadOrder } from './ca-signer.ts';
import type { VaultSession } from './ca-vault-session.ts';

export interface PkiOptions {
  readonly session: Pick<VaultSession, 'read' | 'write'>;
  readonly mount: string;
  readonly role: string;
  /** May hold root-cert.pem; otherwise the self-signed end of the mount's chain is the root. */
  readonly folder: string;
  /** Roots may change, by adding before removing; else a chain of other roots is refused. */
  readonly multiRoot: boolean;
  readonly now: () => number;
}

/**
 * Lets Vault's PKI engine sign each certificate (`sign/ROLE`). The role must take names from the call and not from the
 * request (`use_csr_sans=false`, `use_csr_common_name=false`, `require_cn=false`), and should be `no_store` with a short
 * `max_ttl`. What comes back is judged before anybody gets it: a role set up wrongly must not make wrong identities.
 */
export class PkiSigner implements Signer {
  readonly #options: PkiOptions;
  #trust: TrustSet;
  /** The chain that came with the certificate before, which hardly ever changes. */
  #sent: { readonly text: string; readonly chain: readonly Certificate[] } | undefined;

  private constructor(options: PkiOptions, trust: TrustSet) {
    this.#options = options;
    this.#trust = trust;
  }

  /** @throws MeshrootError when the mount has no chain that ends in a root */
  static async open(options: PkiOptions): Promise<PkiSigner> {
    return new PkiSigner(options, await readTrust(options));
  }

  trust(): TrustSet {
    return this.#trust;
  }

  /**
   * Reads the mount's chain again; true when it changed.
   * @throws MeshrootError when its roots may not take over from those in use, by the same rule as for files
   */
  async refresh(): Promise<boolean> {
    const next = await readTrust(this.#options);
    const text = ({ chain, rootPem }: TrustSet) =>
      [...chain.map(({ fingerprint }) => fingerprint), rootPem].join();
    if (text(next) === text(this.#trust)) return false;
    const decision = decideReload(this.#trust, next, this.#options.multiRoot);
    if (!decision.accept) throw new MeshrootError(decision.code, reloadReasons[decision.code], { exit: 1 });
    this.#trust = next;
    return true;
  }

  async signWorkload({ csr, uris, ttl, now, commonName }: WorkloadOrder): Promise<Issued> {
    const request = {
      csr: toPem('CERTIFICATE REQUEST', csr.der),
      uri_sans: uris.join(','),
      exclude_cn_from_sans: true,
      ttl: seconds(ttl),
      ...(commonName === undefined ? {} : { common_name: commonName }),
    };
    const issued = await this.#sign(request, csr.publicKeyDer, now + ttl);
    const { sans } = issued.leaf;
    if (!sameList(sans.uri, uris) || sans.dns.length + sans.ip.length + sans.email.length > 0)
      throw wrong('names other than those asked for', 'set use_csr_sans=false on the role');
    return issued;
  }

  async signServing({ key, dns, ttl, now }: ServingOrder): Promise<Issued> {
    const csr = await createCsr({ key, sans: { dns } });
    const request = { csr, alt_names: dns.join(','), exclude_cn_from_sans: true, ttl: seconds(ttl) };
    const issued = await this.#sign(request, spkiOf(key.publicKey), now + ttl);
    if (!sameList(issued.leaf.sans.dns, dns))
      throw wrong('DNS names other than those asked for', 'see allowed_domains');
    return issued;
  }

  async #sign(request: object, publicKeyDer: Buffer, end: number): Promise<Issued> {
    const { session, mount, role } = this.#options;
    const answer = await session.write(`${mount}/sign/${role}`, { ...request, format: 'pem' });
    const leaf = leafOf(answer, publicKeyDer);
    if (!leaf.publicKeyDer.equals(publicKeyDer)) throw wrong('another key', 'ask whoever runs the Vault');
    if (leaf.isCa) throw wrong('the powers of a CA', 'set is_ca off in what signs');
    if (leaf.notAfter > end + 60_000)
      throw wrong('a longer life than asked for', 'see ttl and max_ttl of the role');
    const trust = this.#trustOf(leaf, answer);
    return { leaf, trust, requestId: answer?.request_id };
  }

  /** The chain that was sent along, when it leads to our roots: it follows the mount's issuer at once. */
  #trustOf(leaf: Certificate, answer: VaultResponse | undefined): TrustSet {
    const { roots } = this.#trust;
    const sent = this.#chainOf(answer?.data?.ca_chain);
    const chain = sent ?? this.#trust.chain.filter((one) => !isSelfSigned(one));
    const findings = judgeChain({
      leaf,
      intermediates: chain,
      roots,
      now: this.#options.now(),
      purpose: 'client',
    });
    const [finding] = findings.filter(({ severity }) => severity !== 'warning');
    if (finding !== undefined)
      throw wrong(`a chain that does not hold: ${finding.message}`, finding.hint ?? '');
    const same =
      chain.map((c) => c.fingerprint).join() === this.#trust.chain.map((c) => c.fingerprint).join();
    const [certificate = this.#trust.certificate] = chain;
    return same ? this.#trust : { ...this.#trust, chain, certificate };
  }

  /** Without roots; read once, as every answer brings the same. */
  #chainOf(texts: unknown): readonly Certificate[] | undefined {
    if (!Array.isArray(texts) || texts.length === 0) return undefined;
    const text = texts.join('\n');
    if (this.#sent?.text !== text)
      this.#sent = { text, chain: parseCertificates(text).filter((one) => !isSelfSigned(one)) };
    return this.#sent.chain;
  }
}

function leafOf(answer: VaultResponse | undefined, publicKeyDer: Buffer): Certificate {
  const text = answer?.data?.certificate;
  if (typeof text !== 'string') throw wrong('no certificate', 'is the path a PKI engine?');
  return parseCertificate(text, publicKeyDer);
}

async function readTrust({ session, mount, folder }: PkiOptions): Promise<TrustSet> {
  const data = (await session.read(`${mount}/cert/ca_chain`))?.data;
  const text = isRecord(data) ? String(data.ca_chain || data.certificate || '') : '';
  const found = parseCertificates(text);
  const chain = found.filter((one) => !isSelfSigned(one));
  const rootPem =
    (await rootFile(folder)) ??
    found
      .filter(isSelfSigned)
      .map(({ pem }) => pem)
      .join('');
  const roots = parseCertificates(rootPem);
  const certificate = chain[0] ?? found[0];
  if (certificate === undefined || roots.length === 0) {
    throw new MeshrootError('no-root', `the chain of ${mount} does not end in a root`, {
      exit: 1,
      hint: `write the root into ${join(folder, 'root-cert.pem')}, or set the whole chain with ${mount}/intermediate/set-signed`,
    });
  }
  return { certificate, chain, roots, rootPem };
}

async function rootFile(folder: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, 'root-cert.pem'), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

const seconds = (ms: number): string => `${Math.max(1, Math.floor(ms / 1000))}s`;

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one) => b.includes(one));
}

function wrong(what: string, hint: string): MeshrootError {
  return new MeshrootError('wrong-certificate', `the certificate that Vault signed has ${what}`, {
    exit: 1,
    hint,
  });
}
