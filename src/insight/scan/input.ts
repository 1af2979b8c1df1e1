import type { BundleCertificates, BundlePart } from '../../istio/bundle.ts';
import type { Secret } from '../../lib/secret.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { Finding } from '../../x509/finding.ts';
import type { KeyPair } from '../../x509/keys.ts';

/** What was read, before anything is judged. Paths are as they are shown: relative to where the user stands. */
export interface ScanInput {
  readonly files: readonly ScannedFile[];
  readonly bundles: readonly ScannedBundle[];
  /** What could not be read; the rest is judged all the same. */
  readonly problems: readonly ScanFinding[];
}

export interface ScannedFile {
  readonly path: string;
  readonly certificates: readonly Certificate[];
  readonly key: KeyPair | undefined;
  readonly mode: number;
  /** It is a key of a Kubernetes Secret: whoever may read Secrets there has it. */
  readonly inSecret?: boolean;
  /** It is a mesh.yaml; what it asks for is judged, there is no certificate in it. */
  readonly isMesh?: boolean;
}

/** A file with its text, which names the layouts and is judged no further; '' for one in DER. */
export interface RawFile extends ScannedFile {
  readonly text: string;
}

/** A folder in the layout of istiod (`ca-cert.pem`, …) or of a TLS secret (`tls.crt`, `ca.crt`). */
export interface ScannedBundle {
  readonly layout: 'istio' | 'tls';
  readonly folder: string;
  /** The PEM texts by their place in the layout; '' for a file that is not there. */
  readonly texts: BundleCertificates;
  /** Only of the istio layout, and only when the file was there to be read. */
  readonly caKey: Secret<string> | undefined;
  /** Names of the layout that are not there; without its key a bundle is only the public half, which is no fault. */
  readonly missing: readonly string[];
  /** Paths by the same places. */
  readonly paths: Readonly<Record<BundlePart, string>>;
}

/** A finding with its place. */
export interface ScanFinding extends Finding {
  readonly file: string;
  /** The same certificate stands there too. */
  readonly alsoIn?: readonly string[];
}
