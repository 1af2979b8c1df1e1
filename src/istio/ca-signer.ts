import { MeshrootError } from '../lib/errors.ts';
import { type Certificate, parseCertificate, parseCertificates } from '../x509/certificate.ts';
import type { Csr } from '../x509/csr.ts';
import type { SigningIssuer } from '../x509/issuer.ts';
import { type KeyPair, parsePrivateKey } from '../x509/keys.ts';
import type { SigningKey } from '../x509/signature.ts';
import { issueIstiodServing } from '../x509/templates/istiod.ts';
import { issueWorkload } from '../x509/templates/workload.ts';
import type { BundleCertificates, IstioBundle } from './bundle.ts';

/** The public half of what signs: all that logs, metrics, replies and ConfigMaps may see. */
export interface TrustSet {
  readonly certificate: Certificate;
  /** What lies between a leaf and the roots, leaf side first; never a root. */
  readonly chain: readonly Certificate[];
  readonly roots: readonly Certificate[];
  /** root-cert.pem as delivered, byte for byte. */
  readonly rootPem: string;
}

/** What is left of a request once it is judged. Its key is taken apart by OpenSSL only where somebody asks for it. */
export type WorkloadCsr = Pick<Csr, 'der' | 'subject' | 'publicKey' | 'publicKeyDer'>;

export interface WorkloadOrder {
  readonly csr: WorkloadCsr;
  readonly uris: readonly string[];
  readonly commonName?: string;
  /** Milliseconds; the signer may shorten it to its own end. */
  readonly ttl: number;
  readonly now: number;
  /** When its caller is told to come back, in ms since the epoch; undefined: as long as a signer may take. */
  readonly until?: number;
}

export interface Issued {
  readonly leaf: Certificate;
  /** The trust set that was current when the leaf was signed: leaf and chain always belong together. */
  readonly trust: TrustSet;
  /** Vault's id of the request that signed it, where a Vault did. */
  readonly requestId?: string | undefined;
}

export interface ServingOrder {
  readonly key: KeyPair;
  readonly dns: readonly string[];
  readonly ttl: number;
  readonly now: number;
}

/** What makes certificates: plugged-in files, or a PKI or transit engine of Vault. */
export interface Signer {
  trust(): TrustSet;
  signWorkload(order: WorkloadOrder): Promise<Issued>;
  signServing(order: ServingOrder): Promise<Issued>;
}

export interface SigningSet extends TrustSet {
  readonly privateKey: SigningKey;
}

/**
 * The four texts as things to sign with. Judging them is `judgeBundle`'s job, done before.
 * @throws MeshrootError `bad-certificate`, `bad-private-key`
 */
export function signingSet(bundle: IstioBundle): SigningSet {
  return { ...trustSet(bundle), privateKey: parsePrivateKey(bundle.caKey.reveal()).privateKey };
}

/** The three public texts. @throws MeshrootError `bad-certificate` */
export function trustSet(bundle: BundleCertificates): TrustSet {
  const roots = parseCertificates(bundle.rootCert);
  const known = new Set(roots.map((root) => root.fingerprint));
  const chain: Certificate[] = [];
  for (const certificate of parseCertificates(bundle.certChain)) {
    if (known.has(certificate.fingerprint)) continue; // istiod sends the root twice; once is enough
    known.add(certificate.fingerprint);
    chain.push(certificate);
  }
  return { certificate: parseCertificate(bundle.caCert), chain, roots, rootPem: bundle.rootCert };
}

/** Builds certificates here, with a key of a file or a remote one; `replace` changes all of the set at once. */
export class FileSigner implements Signer {
  #set: SigningSet;

  constructor(set: SigningSet) {
    this.#set = set;
  }

  trust(): TrustSet {
    return this.#set;
  }

  replace(set: SigningSet): void {
    this.#set = set;
  }

  async signWorkload(order: WorkloadOrder): Promise<Issued> {
    const set = this.#set;
    const { ttl, now, csr, uris, commonName } = order;
    const leaf = await issueWorkload({
      issuer: issuerOf(set),
      publicKey: csr.publicKeyDer,
      uris,
      ttl: clamp(set, ttl, now),
      now,
      ...(commonName === undefined ? {} : { commonName }),
    });
    return { leaf, trust: set };
  }

  async signServing({ key, dns, now, ...order }: ServingOrder): Promise<Issued> {
    const set = this.#set;
    const ttl = clamp(set, order.ttl, now);
    const issuer = issuerOf(set);
    const leaf = await issueIstiodServing({ publicKey: key.publicKey, dns, now, issuer, ttl });
    return { leaf, trust: set };
  }
}

function issuerOf(set: SigningSet): SigningIssuer {
  return { certificate: set.certificate, privateKey: set.privateKey };
}

/** What is left of the signer's life when that is shorter; a signer past its end signs nothing. */
function clamp(set: SigningSet, ttl: number, now: number): number {
  const left = set.certificate.notAfter - now;
  if (left > 0) return Math.min(ttl, left);
  throw new MeshrootError(
    'signer-expired',
    `the signing certificate has expired: ${new Date(set.certificate.notAfter).toISOString()}`,
    {
      hint: 'deliver a new intermediate: meshroot rotate intermediate CLUSTER',
      exit: 1,
    },
  );
}
