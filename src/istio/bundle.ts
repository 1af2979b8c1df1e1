import type { Secret } from '../lib/secret.ts';

/** What istiod needs to be a CA: four PEM texts that only make sense together (istio.io: plug in CA certificates). */
export interface IstioBundle extends BundleCertificates {
  readonly caKey: Secret<string>;
}

export interface BundleCertificates {
  /** The certificate that signs workloads; only its first block is used. */
  readonly caCert: string;
  /** The same certificate, then its issuers; the root may stand last. */
  readonly certChain: string;
  /** Trust anchors. Compared byte for byte by istiod, so its text must stay as it is. */
  readonly rootCert: string;
}

export type BundlePart = keyof IstioBundle;

/** File names in ROOT_CA_DIR. */
export const bundleFiles = {
  caKey: 'ca-key.pem',
  caCert: 'ca-cert.pem',
  certChain: 'cert-chain.pem',
  rootCert: 'root-cert.pem',
} as const satisfies Readonly<Record<BundlePart, string>>;

/** Keys of the KV entry, as the seed named them. */
export const bundleKvKeys = {
  caKey: 'ca_key',
  caCert: 'ca_cert',
  certChain: 'cert_chain',
  rootCert: 'root_cert',
} as const satisfies Readonly<Record<BundlePart, string>>;

export const bundleParts: readonly BundlePart[] = ['caKey', 'caCert', 'certChain', 'rootCert'];
