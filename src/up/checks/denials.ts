import { readFile } from 'node:fs/promises';
import { VaultClient } from '../../client/vault-client.ts';
import { parseAuditLine } from '../../insight/audit-record.ts';
import { type Denial, DenialClassifier } from '../../insight/denials.ts';
import { isRecord } from '../../lib/records.ts';
import { Secret } from '../../lib/secret.ts';
import { bundleKvPath, clusterNames } from '../../mesh/names.ts';
import { type RunningCluster, type RunningSystem, vaultOf } from '../system.ts';
import { workloadNamespace } from '../workloads.ts';
import { must, type SystemCheck } from './check.ts';

/** Logs in as a service account, the way the agent does, and returns the answer. */
async function login(
  { store }: RunningSystem,
  cluster: RunningCluster,
  as: { namespace: string; account: string },
  mount = clusterNames(cluster).authMount,
): Promise<{ status: number; body: unknown; token: Secret<string> | undefined }> {
  const { token: jwt } = await cluster.kube.tokenRequest(as.namespace, as.account, {});
  const anonymous = new VaultClient({ address: store.address });
  const body = { role: clusterNames(cluster).role, jwt: jwt.reveal() };
  const answer = await anonymous.request('PUT', `auth/${mount}/login`, body);
  anonymous.close();
  const auth = isRecord(answer.body) && isRecord(answer.body.auth) ? answer.body.auth : {};
  const token = typeof auth.client_token === 'string' ? new Secret(auth.client_token) : undefined;
  return { ...answer, token };
}

const istiodOf = ({ wanted: { istiod } }: RunningCluster) => ({
  namespace: istiod.namespace,
  account: istiod.serviceAccount,
});

export const crossClusterRead: SystemCheck = {
  name: 'cross-cluster-read-denied',
  run: async (system) => {
    for (const own of system.clusters) {
      for (const other of system.clusters.filter((c) => c !== own)) await denyAcross(system, own, other);
    }
    const [first, second] = system.clusters;
    must(first !== undefined && second !== undefined, 'there is only one cluster');
    return `${first.name} reads its own bundle, is refused ${second.name}'s: 403 permission denied, and the other way round`;
  },
};

async function denyAcross(system: RunningSystem, own: RunningCluster, other: RunningCluster): Promise<void> {
  const { token, status } = await login(system, own, istiodOf(own));
  must(token !== undefined, `istiod of ${own.name} could not log in at its own mount: ${status}`);
  const client = vaultOf(system).withToken(token);
  const allowed = await client.request('GET', bundleKvPath(own));
  must(allowed.status === 200, `istiod of ${own.name} cannot read its own bundle: ${allowed.status}`);
  const refused = await client.request('GET', bundleKvPath(other));
  must(
    refused.status === 403 && JSON.stringify(refused.body).includes('permission denied'),
    `istiod of ${own.name} asked for the bundle of ${other.name} and got ${refused.status}`,
  );
  const foreign = await login(system, own, istiodOf(own), clusterNames(other).authMount);
  must(
    foreign.status === 403,
    `a token of ${own.name} was accepted by the login of ${other.name}: ${foreign.status}`,
  );
}

export const wrongServiceAccount: SystemCheck = {
  name: 'wrong-service-account-denied',
  run: async (system) => {
    for (const cluster of system.clusters) {
      const as = { namespace: workloadNamespace, account: 'default' };
      const { status, body } = await login(system, cluster, as);
      const who = `${as.namespace}/${as.account} of ${cluster.name}`;
      must(status === 403, `${who} asked for role istiod and got ${status}`);
      // by the role's own bounds, not only because this account may not have its token reviewed
      must(
        /not authorized/.test(JSON.stringify(body)),
        `the role istiod does not refuse ${who} by its bounds`,
      );
    }
    return `${workloadNamespace}/default asked for role istiod: 403 not authorized`;
  },
};

/** The denials that the checks above provoked, as a dashboard would group them. */
interface Wanted {
  readonly mount: string;
  readonly reasons: readonly Denial['reason'][];
}

function provoked(clusters: readonly RunningCluster[]): Wanted[] {
  return clusters.flatMap((cluster) => {
    const { secretsMount, authMount } = clusterNames(cluster);
    return [
      { mount: `${secretsMount}/`, reasons: ['policy'] },
      { mount: `auth/${authMount}/`, reasons: ['wrong-service-account', 'wrong-namespace'] },
    ];
  });
}

export const auditShowsDenials: SystemCheck = {
  name: 'audit-shows-denials',
  run: async (system) => {
    const text = await readFile(system.store.auditLog, 'utf8');
    const classifier = new DenialClassifier();
    const denials = text.split('\n').flatMap((line) => {
      const record = parseAuditLine(line);
      const denial = record === undefined ? undefined : classifier.classify(record);
      return denial === undefined ? [] : [denial];
    });
    for (const { mount, reasons } of provoked(system.clusters)) {
      const found = denials.some((denial) => denial.mount === mount && reasons.includes(denial.reason));
      must(found, `the audit log shows no denial at ${mount} for ${reasons.join(' or ')}`);
    }
    await noSecretIn(text, system);
    return `${denials.length} denials with role and reason, values hashed`;
  },
};

/** What the log must not hold in clear: CA keys, the root token. */
async function noSecretIn(log: string, system: RunningSystem): Promise<void> {
  must(!/PRIVATE KEY/.test(log), 'the audit log holds a private key');
  const token = (await readFile(system.store.tokenFile, 'utf8')).trim();
  must(!log.includes(token), 'the audit log holds the root token');
}

export const metricsShowDenials: SystemCheck = {
  name: 'metrics-show-denials',
  run: async (system) => {
    const wanted = provoked(system.clusters);
    const until = system.clock.now() + 5000; // the follower is at most one look behind the log
    for (;;) {
      const missing = missingFrom(await scrape(system.metricsUrl), wanted);
      if (missing === undefined)
        return `${wanted.length} series by mount, role and reason on ${system.metricsUrl}`;
      must(
        system.clock.now() < until,
        `no denials of ${missing.mount} for ${missing.reasons.join(' or ')} on ${system.metricsUrl}`,
      );
      await system.clock.sleep(50);
    }
  },
};

async function scrape(url: string): Promise<string[]> {
  const response = await fetch(url);
  return (await response.text())
    .split('\n')
    .filter((line) => line.startsWith('meshroot_vault_denials_total{'));
}

function missingFrom(series: readonly string[], wanted: readonly Wanted[]): Wanted | undefined {
  return wanted.find(
    ({ mount, reasons }) =>
      !series.some(
        (line) => line.includes(`mount="${mount}"`) && reasons.some((r) => line.includes(`reason="${r}"`)),
      ),
  );
}
