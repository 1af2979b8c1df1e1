import { readFileSync } from 'node:fs';
import nodeVault from 'node-vault';
import { expect, test } from 'vitest';
import { startFixtures } from '../../../conformance/vault/fixtures.ts';
import { bundleReads, type SealedStore, startSealedStore } from '../../support/sealed-store.ts';

const bundle = { ca_key: 'key', ca_cert: 'cert', root_cert: 'root', cert_chain: 'chain' };

/** A client with no token yet. */
function clientOf({ address, caFile }: SealedStore): nodeVault.client {
  const requestOptions = { ca: readFileSync(caFile, 'utf8') };
  return nodeVault({ endpoint: address, requestOptions } as nodeVault.VaultOptions);
}

/** Initialized, unsealed and audited; the client has the root token afterwards. */
async function open(root: nodeVault.client, auditFile: string): Promise<void> {
  expect(await root.initialized()).toEqual({ initialized: false });
  const { keys_base64, root_token } = await root.init({ secret_shares: 5, secret_threshold: 3 });
  for (const key of keys_base64.slice(0, 3)) await root.unseal({ key });
  expect(await root.status()).toMatchObject({ initialized: true, sealed: false });
  root.token = root_token;
  await root.enableAudit({ name: 'calls', type: 'file', options: { file_path: auditFile } });
}

/** What an operator does for one cluster: bundle, policy, login. */
async function furnish(root: nodeVault.client, cluster: string, kubernetes: string): Promise<void> {
  const [auth, kv] = [`kubernetes-${cluster}`, `kubernetes-${cluster}-secrets`];
  await root.mount({ mount_point: kv, type: 'kv' });
  await root.write(`${kv}/istiod-service/certs`, bundle);
  expect((await root.read(`${kv}/istiod-service/certs`)).data).toEqual(bundle);
  expect((await root.list(kv)).data.keys).toEqual(['istiod-service/']);
  expect((await root.list(`${kv}/istiod-service`)).data.keys).toEqual(['certs']);
  const policy = `path "${kv}/istiod-service/certs" { capabilities = ["read"] }`;
  await root.addPolicy({ name: `istiod-certs-${cluster}`, policy });
  await root.enableAuth({ mount_point: auth, type: 'kubernetes' });
  await root.write(`auth/${auth}/config`, { kubernetes_host: kubernetes, kubernetes_ca_cert: 'unused' });
  // Its own addKubernetesRole looks for a schema that it does not have.
  await root.write(`auth/${auth}/role/istiod`, {
    bound_service_account_names: 'istiod',
    bound_service_account_namespaces: 'istio-system',
    policies: `istiod-certs-${cluster}`,
    ttl: '24h',
  });
}

test.each(['http', 'https'] as const)('node-vault does the whole procedure over %s', async (scheme) => {
  const { values, close } = await startFixtures();
  const store = await startSealedStore(scheme);
  try {
    const root = clientOf(store);
    await open(root, store.auditFile);
    for (const cluster of ['cluster1', 'cluster2']) await furnish(root, cluster, `${values.kubernetes}`);
    const istiod = clientOf(store);
    const login = { mount_point: 'kubernetes-cluster1', role: 'istiod', jwt: values.jwt_istiod };
    const { auth } = await istiod.kubernetesLogin(login);
    istiod.token = auth.client_token;
    expect(auth).toMatchObject({ lease_duration: 86_400, renewable: true });
    expect((await istiod.read('kubernetes-cluster1-secrets/istiod-service/certs')).data).toEqual(bundle);
    await expect(istiod.read('kubernetes-cluster2-secrets/istiod-service/certs')).rejects.toMatchObject({
      message: '1 error occurred:\n\t* permission denied\n\n',
      response: { statusCode: 403 },
    });
    await istiod.tokenRevokeSelf();
    await expect(istiod.tokenLookupSelf()).rejects.toMatchObject({ response: { statusCode: 403 } });
    expect(bundleReads(store.audited()).slice(-2)).toEqual([
      { path: 'kubernetes-cluster1-secrets/istiod-service/certs', error: undefined },
      { path: 'kubernetes-cluster2-secrets/istiod-service/certs', error: '* permission denied' },
    ]);
  } finally {
    await store.close();
    close();
  }
});
