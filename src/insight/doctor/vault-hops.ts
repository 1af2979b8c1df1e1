import { VaultError } from '../../client/vault-error.ts';
import { judgeBundle, lintBundleCertificates } from '../../istio/bundle-lint.ts';
import type { MeshrootError } from '../../lib/errors.ts';
import { Secret } from '../../lib/secret.ts';
import { isKeyless, keylessPaths, seeKeyless } from '../../mesh/keyless.ts';
import { bundleKvPath, clusterNames } from '../../mesh/names.ts';
import { planOne } from '../../mesh/plan.ts';
import { vaultPlace } from '../../mesh/vault-place.ts';
import { readBundle } from '../../rotation/kv-bundle.ts';
import { parseCertificate } from '../../x509/certificate.ts';
import { isoDay } from '../../x509/validity-rule.ts';
import { broken, given, type Hop, NotSeen, type Walk } from './hop.ts';

const mend = 'see the difference with meshroot plan, then: meshroot apply';

/** What a plan says of one thing of the cluster: as wanted, different, or not to be seen by this token. */
async function asWanted({ resources, reach }: Walk, label: string): Promise<string> {
  const resource = resources.find((candidate) => candidate.label === label);
  if (resource === undefined) throw new NotSeen(`mesh.yaml has no ${label}`, true);
  const { decision } = await planOne(resource, reach, { now: reach.clock.now(), adopt: false });
  if (decision.kind === 'add') throw broken(`${label} is not there`, mend);
  if (decision.kind === 'change')
    throw broken(`${label} is not as wanted: ${decision.lines.join(', ')}`, mend);
  if (decision.kind === 'refuse') throw decision.error;
  if (decision.kind === 'unseen') throw new NotSeen(decision.why, false);
  return resource.summary;
}

/** From Vault's door to a sound bundle in the hands of istiod's account. */
export const vaultHops: readonly Hop[] = [
  {
    name: 'vault',
    check: async ({ vault, mesh, cluster }) => {
      const { address } = vaultPlace(mesh, cluster);
      const { status } = await vault.request('GET', 'sys/health?standbyok=true&perfstandbyok=true');
      if (status === 200) return `${address} answers, unsealed`;
      if (status === 503)
        throw broken(`${address} is sealed`, 'vault operator unseal (or meshroot vault unseal)');
      if (status === 501) throw broken(`${address} is not initialised`, 'vault operator init');
      throw broken(
        `${address} answers ${status} to sys/health`,
        'is it a Vault? see vault.address in mesh.yaml',
      );
    },
  },
  { name: 'auth mount', check: (walk) => asWanted(walk, `auth/${clusterNames(walk.cluster).authMount}`) },
  {
    name: 'auth config',
    check: (walk) => asWanted(walk, `config of auth/${clusterNames(walk.cluster).authMount}`),
  },
  { name: 'role', check: (walk) => asWanted(walk, `role ${clusterNames(walk.cluster).role}`) },
  { name: 'login', check: login },
  {
    name: 'policy',
    check: async ({ login, cluster }) => {
      const keyless = isKeyless(cluster);
      const [path, verb] = keyless ? [keylessPaths(cluster).sign, 'update'] : [bundleKvPath(cluster), 'read'];
      const reply = await given(login).write('sys/capabilities-self', { paths: [path] });
      const may = reply?.data?.[path] ?? reply?.data?.capabilities;
      if (Array.isArray(may) && may.includes(verb)) return `may ${verb} ${path}`;
      const { policy } = clusterNames(cluster);
      throw broken(`the policy ${policy} does not let the role ${verb} ${path}`, mend);
    },
  },
  {
    name: 'read',
    check: async (walk) => {
      const keyless = isKeyless(walk.cluster);
      const path = keyless ? keylessPaths(walk.cluster).chain : bundleKvPath(walk.cluster);
      const login = given(walk.login);
      const bundle = await (keyless ? seeKeyless(walk.cluster, login) : readBundle(login, path));
      if (bundle === undefined) throw broken(`there is nothing at ${path}`, mend);
      walk.bundle = bundle;
      return path;
    },
  },
  {
    name: 'bundle',
    check: async ({ bundle, reach, cluster }) => {
      const [finding] = faults(given(bundle), reach.clock.now());
      if (finding !== undefined) {
        throw broken(finding.message, `write it anew: meshroot rotate intermediate ${cluster.name}`);
      }
      const { serial, notAfter } = parseCertificate(given(bundle).caCert);
      return `${serial} until ${isoDay(notAfter)}`;
    },
  },
];

/** Where Vault keeps the key, its certificates are all that there is to judge. */
const faults = ({ caKey, ...shown }: NonNullable<Walk['bundle']>, now: number) =>
  caKey === undefined
    ? lintBundleCertificates(shown, now).filter(({ severity }) => severity !== 'warning')
    : judgeBundle({ ...shown, caKey }, now);

/** Vault says "permission denied" whatever the cause; who may review is asked of the API server to tell. */
async function login(walk: Walk): Promise<string> {
  const { authMount, role } = clusterNames(walk.cluster);
  const jwt = given(walk.jwt).reveal();
  try {
    const reply = await walk.vault.write(`auth/${authMount}/login`, { role, jwt });
    walk.login = walk.vault.withToken(new Secret(String(reply?.auth?.client_token)));
    return `as ${role} at auth/${authMount}`;
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    throw (await mayNotReview(walk)) ?? whyRefused(walk, error);
  }
}

async function mayNotReview({ cluster, kube }: Walk): Promise<MeshrootError | undefined> {
  if (cluster.reviewer === 'jwks') return undefined;
  const { namespace, serviceAccount } = cluster.istiod;
  const user = `system:serviceaccount:${namespace}:${serviceAccount}`;
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  const resourceAttributes = { verb: 'create', group: 'authentication.k8s.io', resource: 'tokenreviews' };
  const review = await given(kube)
    .subjectAccessReview({ user, groups, resourceAttributes })
    .catch(() => ({ allowed: true })); // this user may not ask that: no reason found
  if (review.allowed) return undefined;
  return broken(
    `${namespace}/${serviceAccount} may not ask for a TokenReview, so the API server refuses what Vault asks in its name`,
    'bind it to system:auth-delegator: meshroot apply does',
  );
}

function whyRefused({ cluster }: Walk, error: VaultError): MeshrootError {
  const fix =
    'does vault reach the API server, by that address and authority? set kubernetesHost in mesh.yaml';
  const audience = `its audience is ${cluster.audience}`;
  return broken(`${error.message}; everything that can be seen is as wanted (${audience})`, fix, error);
}
