import type { VaultClient } from '../client/vault-client.ts';
import { judgeBundle } from '../istio/bundle-lint.ts';
import { days, humanDuration } from '../lib/duration.ts';
import { MeshrootError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { readBundle } from '../rotation/kv-bundle.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { isKeyless, keylessPaths } from './keyless.ts';
import { bundleKvPath, clusterNames } from './names.ts';
import { persist } from './persist.ts';
import { signOnce } from './prove-keyless.ts';
import { clusterVault, type Reach } from './resource.ts';
import type { MeshCluster } from './schema.ts';

/**
 * Goes the way that istiod goes: a token of its service account, a login, a read of its bundle, the bundle judged. The
 * Vault token of the proof is revoked again.
 * @returns what was seen, in one line
 * @throws MeshrootError `proof-failed` with the step that failed
 */
export async function proveCluster(cluster: MeshCluster, reach: Reach, trustDomain: string): Promise<string> {
  const { namespace, serviceAccount } = cluster.istiod;
  const { authMount, role } = clusterNames(cluster);
  const account = `${namespace}/${serviceAccount}`;
  const vault = clusterVault(reach, cluster.name);
  const login = await step(cluster, `a login of ${account} at auth/${authMount}`, async () => {
    const kube = await reach.kube(cluster.name);
    const wanted = { audiences: [cluster.audience], expirationSeconds: 600 };
    const { token } = await persist(reach.clock, () => kube.tokenRequest(namespace, serviceAccount, wanted));
    // Vault says no as well while the API server that it asks does not answer.
    const reply = await persist(
      reach.clock,
      () => vault.write(`auth/${authMount}/login`, { role, jwt: token.reveal() }),
      ['vault-denied'],
    );
    const given = reply?.auth?.client_token;
    if (typeof given !== 'string') throw new MeshrootError('bad-vault-reply', 'the login gave no token');
    return vault.withToken(new Secret(given));
  });
  try {
    const now = reach.clock.now();
    const seen = isKeyless(cluster)
      ? await step(cluster, `a signature by ${keylessPaths(cluster).sign}`, () =>
          signOnce(cluster, trustDomain, login, now),
        )
      : await readAndJudge(cluster, login, now);
    return `${account} logged in as ${role}, ${seen}`;
  } finally {
    await login.write('auth/token/revoke-self').catch(() => {}); // it ends by itself within the hour
  }
}

async function readAndJudge(cluster: MeshCluster, login: VaultClient, now: number): Promise<string> {
  const path = bundleKvPath(cluster);
  const bundle = await step(cluster, `a read of ${path}`, async () => {
    const found = await readBundle(login, path);
    if (found === undefined) throw new MeshrootError('no-bundle', 'there is nothing at that path');
    return found;
  });
  const [finding] = judgeBundle(bundle, now);
  if (finding !== undefined) throw failed(cluster, 'the check of the bundle', finding.message, undefined);
  const left = parseCertificate(bundle.caCert).notAfter - now;
  return `read its bundle, which is sound for ${humanDuration(left < days(1) ? left : left - (left % days(1)))}`;
}

async function step<T>(cluster: MeshCluster, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof MeshrootError)) throw error;
    throw failed(cluster, what, error.message, error);
  }
}

function failed(
  cluster: MeshCluster,
  what: string,
  why: string,
  cause: MeshrootError | undefined,
): MeshrootError {
  return new MeshrootError('proof-failed', `${cluster.name}: ${what} did not work: ${why}`, {
    hint: cause?.hint ?? 'everything is written; meshroot plan shows whether somebody changed it since',
    exit: 1,
    cause,
  });
}
