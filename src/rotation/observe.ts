import type { BundleCertificates } from '../istio/bundle.ts';
import { presentedChain } from '../istio/presented-chain.ts';
import { requestCertificate } from '../istio/workload-request.ts';
import type { KubeApi } from '../kube/api.ts';
import { minutes } from '../lib/duration.ts';
import type { Secret } from '../lib/secret.ts';
import { parseCertificate, parseCertificates } from '../x509/certificate.ts';
import { createCsr } from '../x509/csr.ts';
import { generateKeyPair } from '../x509/keys.ts';
import type { Observation, RotationState } from './decide.ts';

/** Where to look while the intermediate of one cluster is rotated. */
export interface RotationPlace {
  readonly kube: KubeApi;
  /** The CA that the cluster is to have, as Vault holds it at this moment. */
  stored(): Promise<Pick<BundleCertificates, 'caCert' | 'rootCert'> | undefined>;
  readonly cluster: string;
  /** host:port of istiod's CA. */
  readonly istiodAddress: string;
  readonly istiodNamespace: string;
  /** For whom the confirming certificate is asked; any service account will do. */
  readonly probe: { readonly namespace: string; readonly serviceAccount: string };
}

/** Looks only as far as the phase needs: Vault always, istiod's chain once stored, a fresh certificate once delivered. */
export async function observeRotation(
  place: RotationPlace,
  state: RotationState | undefined,
): Promise<Observation> {
  const bundle = await place.stored();
  const stored = bundle === undefined ? undefined : parseCertificate(bundle.caCert).serial;
  const rootPem = bundle?.rootCert ?? '';
  const phase = state?.phase;
  return {
    stored,
    served: phase === 'stored' ? await orUndefined(servedSerial(place, rootPem)) : undefined,
    issuing: phase === 'delivered' ? await orUndefined(issuingSerial(place, rootPem)) : undefined,
  };
}

/** Serial of the intermediate that istiod presents. */
export async function servedSerial(place: RotationPlace, rootPem: string): Promise<string | undefined> {
  const chain = await presentedChain({
    address: place.istiodAddress,
    serverName: serverName(place),
    rootPem,
  });
  return chain[1]?.serial;
}

/** Asks istiod for a certificate as a workload would, and returns the serial of the intermediate that issued it. */
async function issuingSerial(place: RotationPlace, rootPem: string): Promise<string | undefined> {
  const { namespace, serviceAccount } = place.probe;
  const key = await generateKeyPair('ec-p256');
  const token: Secret<string> = (
    await place.kube.tokenRequest(namespace, serviceAccount, { audiences: ['istio-ca'] })
  ).token;
  const chain = await requestCertificate({
    address: place.istiodAddress,
    serverName: serverName(place),
    rootPem,
    csr: await createCsr({ key }),
    ttl: minutes(10),
    token: token.reveal(),
    clusterId: place.cluster,
  });
  return parseCertificates(chain.join('\n'))[1]?.serial;
}

const serverName = ({ istiodNamespace }: RotationPlace): string => `istiod.${istiodNamespace}.svc`;

/** While istiod reloads, it may refuse or not answer: that is "not seen yet", not the end of a rotation. */
async function orUndefined(looking: Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await looking;
  } catch {
    return undefined;
  }
}
