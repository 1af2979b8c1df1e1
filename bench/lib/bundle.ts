import { testBundle, testRoot } from '../../src/istio/test-mesh.ts';
import type { KeyType } from '../../src/x509/keys.ts';

/** A fresh intermediate under a fresh root, as files and as the four keys of the store. */
export async function makeBundle(keyType: KeyType = 'ec-p256') {
  const root = await testRoot();
  const files = await testBundle(root, { keyType });
  const entry = {
    ca_key: files['ca-key.pem'],
    ca_cert: files['ca-cert.pem'],
    root_cert: files['root-cert.pem'],
    cert_chain: files['cert-chain.pem'],
  };
  return { root, files, entry };
}
