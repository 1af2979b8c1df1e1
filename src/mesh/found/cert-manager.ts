import type { KubeObject } from '../../kube/api.ts';
import { recordOf, textOf } from '../../kube/kube-object.ts';
import { podFacts } from './pod-template.ts';

/** How istio-csr has the certificates of the mesh signed. Empty texts are unknown. */
export interface IstioCsr {
  /** NAMESPACE/NAME of its Deployment. */
  readonly place: string;
  readonly image: string;
  readonly issuer: { readonly name: string; readonly kind: string; readonly group: string };
  readonly trustDomain: string;
  /** The issuer that is meant, when it was found. */
  readonly signer: Signer | undefined;
}

/** An Issuer or ClusterIssuer of cert-manager. */
export interface Signer {
  readonly place: string;
  /** The first key of its spec: `ca`, `vault`, `selfSigned`, `acme`, … */
  readonly kind: string;
  /** Address and path of a `vault` one. */
  readonly vault: { readonly server: string; readonly path: string } | undefined;
  /** The Certificate that makes the key of a `ca` one. */
  readonly certificate: CaCertificate | undefined;
}

/** A Certificate of cert-manager that is a CA. */
export interface CaCertificate {
  readonly place: string;
  readonly algorithm: string;
  readonly size: number;
  /** Go durations, as they stand there. */
  readonly duration: string;
  readonly renewBefore: string;
  readonly issuer: string;
}

/**
 * Which issuer of cert-manager signs a mesh through istio-csr.
 * @see https://cert-manager.io/docs/usage/istio-csr/
 */
export function istioCsr(
  deployment: KubeObject,
  issuers: readonly KubeObject[],
  certificates: readonly KubeObject[],
): IstioCsr {
  const { containers } = podFacts(deployment);
  const flags = flagsOf(containers.flatMap(({ args }) => args));
  const issuer = {
    name: flags.get('issuer-name') ?? '',
    kind: flags.get('issuer-kind') || 'Issuer',
    group: flags.get('issuer-group') || 'cert-manager.io',
  };
  const namespace = flags.get('certificate-namespace') || 'istio-system';
  const found = issuers.find(
    (one) =>
      one.metadata.name === issuer.name &&
      one.kind === issuer.kind &&
      (issuer.kind !== 'Issuer' || one.metadata.namespace === namespace),
  );
  return {
    place: placeOf(deployment),
    image: containers.find(({ image }) => image !== '')?.image ?? '',
    issuer,
    trustDomain: flags.get('trust-domain') ?? '',
    signer: found === undefined ? undefined : signerOf(found, certificates),
  };
}

function signerOf(issuer: KubeObject, certificates: readonly KubeObject[]): Signer {
  const spec = recordOf(issuer.spec);
  const { server, path } = recordOf(spec.vault);
  const secret = textOf(recordOf(spec.ca).secretName);
  const certificate = certificates.find(
    (one) =>
      secret !== '' &&
      textOf(recordOf(one.spec).secretName) === secret &&
      (issuer.kind !== 'Issuer' || one.metadata.namespace === issuer.metadata.namespace),
  );
  return {
    place: placeOf(issuer),
    kind:
      ['ca', 'vault', 'selfSigned', 'acme', 'venafi'].find((kind) => spec[kind] !== undefined) ?? 'unknown',
    vault: spec.vault === undefined ? undefined : { server: textOf(server), path: textOf(path) },
    certificate: certificate && caCertificate(certificate),
  };
}

function caCertificate(object: KubeObject): CaCertificate {
  const spec = recordOf(object.spec);
  const key = recordOf(spec.privateKey);
  const algorithm = textOf(key.algorithm) || 'RSA';
  return {
    place: placeOf(object),
    algorithm,
    size: typeof key.size === 'number' ? key.size : algorithm === 'RSA' ? 2048 : 256,
    duration: textOf(spec.duration) || '2160h',
    renewBefore: textOf(spec.renewBefore),
    issuer: textOf(recordOf(spec.issuerRef).name),
  };
}

const placeOf = ({ kind, metadata }: KubeObject): string =>
  `${kind} ${metadata.namespace === undefined ? '' : `${textOf(metadata.namespace)}/`}${metadata.name}`;

/** `--name=value` and `--name value`. */
function flagsOf(args: readonly string[]): Map<string, string> {
  const flags = new Map<string, string>();
  args.forEach((arg, i) => {
    const [, name, value] = /^--?([a-z-]{1,64})(?:=(.*))?$/s.exec(arg) ?? [];
    if (name !== undefined) flags.set(name, value ?? args[i + 1] ?? '');
  });
  return flags;
}
