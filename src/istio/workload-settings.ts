import { parseDuration } from '../lib/duration.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { KeyType } from '../x509/keys.ts';
import { checkTrustDomain, type SpiffeIdentity } from './identity.ts';

/** pilot-agent's environment, as far as a demo workload needs it. */
export interface WorkloadSettings {
  readonly caAddress: string;
  /** The name that the CA's certificate must carry. */
  readonly caName: string;
  readonly caRootFile: string;
  readonly tokenFile: string;
  /** Folder of a certificate to renew with, in place of the token: how a machine outside the cluster stays in. */
  readonly provCert: string | undefined;
  readonly clusterId: string;
  readonly identity: SpiffeIdentity;
  /** Milliseconds. */
  readonly ttl: number;
  /** Part of its life after which a certificate is renewed, and how far chance may move it. */
  readonly graceRatio: number;
  readonly graceJitter: number;
  readonly keyType: KeyType;
  readonly pkcs8: boolean;
  readonly output: string | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

const istiodName = 'istiod.istio-system.svc';

/** @throws MeshrootError naming the variable that is missing or cannot be used */
export function workloadSettings(env: Env): WorkloadSettings {
  const caAddress = need(env, 'CA_ADDR', 'the address of the CA, for example istiod.istio-system.svc:15012');
  return {
    caAddress,
    caName: caNameOf(caAddress),
    caRootFile: env.CA_ROOT_CA || '/var/run/secrets/istio/root-cert.pem',
    tokenFile: env.TOKEN || '/var/run/secrets/tokens/istio-token',
    provCert: env.PROV_CERT || undefined,
    clusterId: env.ISTIO_META_CLUSTER_ID || '',
    identity: {
      trustDomain: checkTrustDomain(env.TRUST_DOMAIN || 'cluster.local'),
      namespace: need(env, 'POD_NAMESPACE', 'the namespace of the pod'),
      serviceAccount: need(env, 'SERVICE_ACCOUNT', 'the service account of the pod'),
    },
    ttl: parseDuration(env.SECRET_TTL || '24h'),
    graceRatio: fraction(env, 'SECRET_GRACE_PERIOD_RATIO', 0.5),
    graceJitter: fraction(env, 'SECRET_GRACE_PERIOD_RATIO_JITTER', 0.01),
    keyType: keyTypeOf(env),
    pkcs8: env.PKCS8_KEY === 'true',
    output: env.OUTPUT_CERTS || undefined,
  };
}

/** pilot-agent's rule: the host of the address, but istiod's own name behind a port-forward or on loopback. */
function caNameOf(address: string): string {
  const host = address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const isAddress = /^[\d.]+$/.test(host) || host.includes(':');
  return isAddress || host.includes('localhost') || host === '' ? istiodName : host;
}

/** EC keys unless RSA is asked for by size: pilot-agent defaults to RSA-2048, which costs 100 ms per renewal. */
function keyTypeOf(env: Env): KeyType {
  const bits = env.WORKLOAD_RSA_KEY_SIZE;
  if (bits && !env.ECC_SIGNATURE_ALGORITHM) {
    if (bits === '2048' || bits === '3072' || bits === '4096') return `rsa-${bits}`;
    throw new MeshrootError('bad-key-size', `WORKLOAD_RSA_KEY_SIZE ${bits} is none of 2048, 3072, 4096`);
  }
  return env.ECC_CURVE === 'P384' ? 'ec-p384' : 'ec-p256';
}

function fraction(env: Env, name: string, otherwise: number): number {
  const value = Number(env[name] || otherwise);
  if (value >= 0 && value < 1) return value;
  throw new MeshrootError('bad-ratio', `${name} must be between 0 and 1, not "${env[name]}"`);
}

function need(env: Env, name: string, what: string): string {
  const value = env[name];
  if (value) return value;
  throw new MeshrootError('missing-variable', `${name} is not set`, { hint: `it is ${what}` });
}
