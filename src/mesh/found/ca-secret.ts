import { bundleFiles } from '../../istio/bundle.ts';
import type { KubeObject } from '../../kube/api.ts';
import { recordOf, textOf } from '../../kube/kube-object.ts';
import { type Certificate, parseCertificates } from '../../x509/certificate.ts';

/** A CA that lies in a Kubernetes Secret: its certificates, never its key. */
export interface CaSecret {
  /** NAMESPACE/NAME */
  readonly place: string;
  /** `plugged`: Secret cacerts, four files; `self-made`: by istiod; `tls`: in cert-manager's layout. */
  readonly kind: 'plugged' | 'self-made' | 'tls';
  readonly texts: { readonly caCert: string; readonly certChain: string; readonly rootCert: string };
  readonly ca: Certificate | undefined;
  readonly roots: readonly Certificate[];
}

/** PEM files of a CA are a few kB. */
const maxText = 1024 * 1024;

/** Of the Secrets `cacerts` and `istio-ca-secret`; the value of the key is not even decoded. */
export function caSecret({ metadata, data }: KubeObject): CaSecret | undefined {
  const values = recordOf(data);
  const text = (name: string): string => decoded(textOf(values[name]));
  const tls = values[bundleFiles.caCert] === undefined && values['tls.crt'] !== undefined;
  const selfMade = metadata.name === 'istio-ca-secret' || values['istio-generated'] !== undefined;
  const caCert = text(tls ? 'tls.crt' : bundleFiles.caCert);
  const rootCert = text(tls ? 'ca.crt' : bundleFiles.rootCert) || (selfMade ? caCert : '');
  if (caCert === '' && rootCert === '') return undefined;
  return {
    place: `${textOf(metadata.namespace)}/${metadata.name}`,
    kind: tls ? 'tls' : selfMade ? 'self-made' : 'plugged',
    texts: { caCert, certChain: text(bundleFiles.certChain), rootCert },
    ca: certificatesIn(caCert)[0],
    roots: certificatesIn(rootCert),
  };
}

/** Certificates of a text of strangers: those that can be read when all can, else none. */
export function certificatesIn(text: string): Certificate[] {
  try {
    const found = parseCertificates(text);
    for (const { fingerprint, notAfter, publicKey } of found) void [fingerprint, notAfter, publicKey]; // read now, not later
    return found;
  } catch {
    return [];
  }
}

function decoded(base64: string): string {
  return base64.length > maxText ? '' : Buffer.from(base64, 'base64').toString('utf8');
}
