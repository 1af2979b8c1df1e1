import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';
import { keyMatches } from '../x509/keys.ts';
import { type RemoteKey, type SignatureAlgorithm, verifySignature } from '../x509/signature.ts';
import { type BundleCertificates, bundleFiles, bundleKvKeys } from './bundle.ts';
import { lintBundleCertificates } from './bundle-lint.ts';
import { type JudgeOptions, refuseFindings } from './ca-file-source.ts';
import type { SetSource } from './ca-keeper.ts';
import { trustSet } from './ca-signer.ts';
import type { VaultSession } from './ca-vault-session.ts';

export interface TransitOptions extends JudgeOptions {
  readonly session: Pick<VaultSession, 'read' | 'write'>;
  readonly mount: string;
  readonly key: string;
  readonly kvPath: string | undefined;
  /** Where the three public files are when there is no KV path. */
  readonly folder: string;
  /** Told of the Vault's id of each signing request. */
  readonly onRequest?: (id: string) => void;
}

/** The intermediate whose key lies in Vault's transit engine and never leaves it. */
export function transitSource(options: TransitOptions): SetSource {
  const { clock, session, mount, key, kvPath, folder } = options;
  return async () => {
    const bundle = kvPath === undefined ? await publicFiles(folder) : await publicEntry(session, kvPath);
    refuseFindings(lintBundleCertificates(bundle, clock.now(), options));
    const trust = trustSet(bundle);
    const version = await versionOf(options, trust.certificate.publicKey, (one) =>
      keyMatches(trust.certificate, one),
    );
    const privateKey = remoteKey(options, trust.certificate.publicKey, version);
    return { kind: `Vault transit key ${mount}/${key} version ${version}`, set: { ...trust, privateKey } };
  };
}

/** The version of the key that the intermediate was made for: a rotated key must not sign under the old certificate. */
async function versionOf(
  { session, mount, key }: TransitOptions,
  publicKey: KeyObject,
  matches: (key: KeyObject) => boolean,
): Promise<number> {
  const found = (await session.read(`${mount}/keys/${key}`))?.data?.keys;
  for (const [version, facts] of Object.entries(isRecord(found) ? found : {})) {
    const text = isRecord(facts) && typeof facts.public_key === 'string' ? facts.public_key : '';
    const one = publicKeyOf(text, publicKey);
    if (one !== undefined && matches(one)) return Number(version);
  }
  throw new MeshrootError(
    'key-does-not-match',
    `no version of ${mount}/${key} is the key of the intermediate`,
    { exit: 1, hint: 'issue the intermediate for the public key of the transit key' },
  );
}

/** PEM for RSA and EC; Vault gives an Ed25519 key as its 32 bytes in base64. */
function publicKeyOf(text: string, like: KeyObject): KeyObject | undefined {
  try {
    if (text.includes('-----BEGIN')) return createPublicKey(text);
    if (like.asymmetricKeyType !== 'ed25519') return undefined;
    const x = Buffer.from(text, 'base64').toString('base64url');
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  } catch {
    return undefined;
  }
}

function remoteKey(options: TransitOptions, publicKey: KeyObject, version: number): RemoteKey {
  const { session, mount, key, onRequest } = options;
  return {
    publicKey,
    sign: async (algorithm, data) => {
      const answer = await session.write(signPath(mount, key, algorithm), {
        input: data.toString('base64'), // a certificate is small: Vault hashes it
        key_version: version,
        ...(algorithm.keyKind === 'rsa' ? { signature_algorithm: 'pkcs1v15' } : {}),
        ...(algorithm.keyKind === 'ec' ? { marshaling_algorithm: 'asn1' } : {}),
      });
      if (answer !== undefined) onRequest?.(answer.request_id);
      const [, , base64 = ''] = String(answer?.data?.signature ?? '').split(':');
      const signature = Buffer.from(base64, 'base64');
      if (verifySignature(algorithm.oid, publicKey, data, signature)) return signature;
      throw new MeshrootError('bad-signature', `the signature by ${mount}/${key} does not verify`, {
        exit: 1,
      });
    },
  };
}

function signPath(mount: string, key: string, { hash }: SignatureAlgorithm): string {
  return hash === null ? `${mount}/sign/${key}` : `${mount}/sign/${key}/sha2-${hash.slice(3)}`;
}

async function publicFiles(folder: string): Promise<BundleCertificates> {
  const read = async (name: string): Promise<string> => {
    try {
      return await readFile(join(folder, name), 'utf8');
    } catch (error) {
      throw new MeshrootError(
        'incomplete-bundle',
        `cannot read ${name} of ${folder}: ${codeOf(error) ?? messageOf(error)}`,
        { exit: 1, hint: 'needed beside the transit key: ca-cert.pem, cert-chain.pem, root-cert.pem' },
      );
    }
  };
  const [caCert, certChain, rootCert] = await Promise.all(
    [bundleFiles.caCert, bundleFiles.certChain, bundleFiles.rootCert].map(read),
  );
  return { caCert: caCert ?? '', certChain: certChain ?? '', rootCert: rootCert ?? '' };
}

/** KV version 1, or version 2 with `/data/` in the path. */
async function publicEntry(session: TransitOptions['session'], path: string): Promise<BundleCertificates> {
  const { data } = (await session.read(path)) ?? {};
  const fields = isRecord(data?.data) ? data.data : (data ?? {});
  const text = (name: string): string => {
    const value = fields[name];
    if (typeof value === 'string' && value !== '') return value;
    throw new MeshrootError('incomplete-bundle', `${path} has no ${name}`, { exit: 1 });
  };
  return {
    caCert: text(bundleKvKeys.caCert),
    certChain: text(bundleKvKeys.certChain),
    rootCert: text(bundleKvKeys.rootCert),
  };
}
