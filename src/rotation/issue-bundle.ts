import type { VaultClient } from '../client/vault-client.ts';
import type { IstioBundle } from '../istio/bundle.ts';
import { judgeBundle } from '../istio/bundle-lint.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { createCsr } from '../x509/csr.ts';
import { generateKeyPair, type KeyType, privateKeyPem } from '../x509/keys.ts';
import { intermediateSubject, istiodDns } from '../x509/templates/intermediate.ts';

export interface IssueBundleOptions {
  readonly vault: VaultClient;
  /** Vault PKI mount of the root. */
  readonly rootMount: string;
  /** L= of the intermediate's subject. */
  readonly name: string;
  readonly keyType: KeyType;
  /** Milliseconds. */
  readonly ttl: number;
  readonly now: number;
}

/**
 * A new intermediate CA for one cluster: the key is made here, its certificate signed by the root inside Vault, and the
 * whole judged as istiod will read it before anyone gets it. Nothing is stored.
 * @throws MeshrootError `bundle-refused` when our own product does not pass the judgement
 */
export async function issueBundle(options: IssueBundleOptions): Promise<IstioBundle> {
  const { key, csr } = await newRequest(options);
  const signed = await signIntermediate(options, csr);
  const bundle: IstioBundle = {
    caKey: key,
    caCert: signed.certificate,
    certChain: signed.certificate + signed.root,
    rootCert: signed.root,
  };
  refuseBad(bundle, options);
  return bundle;
}

/** A fresh key and the request that a root signs, whether it is in Vault or on a machine without a network. */
export async function newRequest({
  keyType,
  name,
}: Pick<IssueBundleOptions, 'keyType' | 'name'>): Promise<{ key: Secret<string>; csr: string }> {
  const key = await generateKeyPair(keyType);
  const subject = intermediateSubject(name);
  const csr = await createCsr({ key, subject, sans: { dns: istiodDns } });
  return { key: privateKeyPem(key.privateKey), csr };
}

/** Lets the root sign a request as it stands, path length 0. */
export async function signIntermediate(
  { vault, rootMount, ttl }: Pick<IssueBundleOptions, 'vault' | 'rootMount' | 'ttl'>,
  csr: string,
): Promise<{ certificate: string; root: string }> {
  const reply = await vault.write(`${rootMount}/root/sign-intermediate`, {
    csr,
    use_csr_values: true,
    max_path_length: 0,
    format: 'pem',
    ttl: `${Math.round(ttl / 1000)}s`,
  });
  const { certificate, issuing_ca: root } = reply?.data ?? {};
  if (typeof certificate !== 'string' || typeof root !== 'string') {
    throw new MeshrootError(
      'bad-vault-reply',
      `${rootMount}/root/sign-intermediate answered without a certificate`,
    );
  }
  return { certificate: parseCertificate(certificate).pem, root: parseCertificate(root).pem };
}

/** @throws MeshrootError `bundle-refused` when istiod could not use it */
export function refuseBad(
  bundle: IstioBundle,
  { name, now }: Pick<IssueBundleOptions, 'name' | 'now'>,
): void {
  const findings = judgeBundle(bundle, now);
  const [first] = findings;
  if (first === undefined) return;
  throw new MeshrootError(
    'bundle-refused',
    `the new intermediate of ${name} is not usable: ${first.message}`,
    {
      hint: first.hint ?? 'nothing was stored; the old bundle stays in force',
      exit: 1,
    },
  );
}
