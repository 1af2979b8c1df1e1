import { recordOf, textOf } from '../../kube/kube-object.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { clusterSchema } from '../schema.ts';
import { type CaSecret, caSecret, certificatesIn } from './ca-secret.ts';
import { type IstioCsr, istioCsr } from './cert-manager.ts';
import type { ClusterObjects } from './cluster-objects.ts';
import { foundInjectors } from './found-injectors.ts';
import { type FoundIstiod, foundIstiod } from './found-istiod.ts';
import * as lines from './found-lines.ts';
import { intermediateLike } from './intermediate-like.ts';
import { type MeshConfig, meshConfig } from './mesh-config.ts';
import { plainLine } from './plain-line.ts';

/** A cluster as it will be called, and the kubeconfig context that leads to it. */
export interface ClusterPlace {
  readonly name: string;
  readonly context: string;
  /** As it will stand in mesh.yaml; the usual ones when undefined. */
  readonly kubeconfig: string | undefined;
}

/** What of a running cluster goes into mesh.yaml, and what is said about it. */
export interface ClusterDraft extends ClusterPlace {
  /** One line per found thing. */
  readonly found: readonly string[];
  /** What no program can decide, one line each. */
  readonly decide: readonly string[];
  /** What this user may not list. */
  readonly unseen: readonly string[];
  /** The trust anchors of this cluster; the first is the one that is compared. */
  readonly roots: readonly Certificate[];
  readonly config: MeshConfig | undefined;
  readonly vault: { readonly address: string; readonly namespace: string } | undefined;
  /** An injector of Vault agents is there already. */
  readonly injector: boolean;
  /** The cluster's own words in mesh.yaml besides name and context; they fit its schema. */
  readonly entry: Readonly<Record<string, unknown>>;
}

/** Judges what a cluster showed; pure, and does not fail whatever the objects look like. */
export function draftCluster(place: ClusterPlace, objects: ClusterObjects, now: number): ClusterDraft {
  const seen = whatIsThere(objects);
  const { istiod, csr, injectors, inUse, config, roots } = seen;
  const { entry, refused } = fitting(wordsOf(seen, now));
  const told = tell(seen, now);
  return {
    ...place,
    found: told.flatMap(({ found }) => found).map(plainLine),
    decide: [...told.flatMap(({ decide }) => decide), ...refused].map(plainLine),
    unseen: objects.unseen.map(plainLine),
    roots,
    config,
    vault: istiod?.vault ?? vaultOf(csr),
    injector: injectors.length > 0 || inUse === 'injected',
    entry,
  };
}

interface Seen {
  readonly istiods: readonly FoundIstiod[];
  readonly istiod: FoundIstiod | undefined;
  readonly csr: IstioCsr | undefined;
  readonly secrets: readonly CaSecret[];
  readonly injectors: readonly string[];
  /** Where the CA that signs comes from. */
  readonly inUse: 'injected' | 'istio-csr' | CaSecret | undefined;
  readonly config: MeshConfig | undefined;
  readonly roots: readonly Certificate[];
}

/** An injected CA wins over Secrets that were left behind, and so does istio-csr; istiod prefers cacerts to its own. */
function whatIsThere(objects: ClusterObjects): Seen {
  const istiods = objects.istiods.map((one) => foundIstiod(one, objects.pods));
  const istiod = istiods.find(({ vault }) => vault !== undefined) ?? istiods[0];
  const csr = objects.istioCsrs.map((one) => istioCsr(one, objects.issuers, objects.certificates))[0];
  const secrets = objects.secrets.flatMap((one) => caSecret(one) ?? []);
  const near = secrets.filter(
    ({ place }) => istiod === undefined || place.startsWith(`${istiod.namespace}/`),
  );
  const signing = near.find(({ kind }) => kind !== 'self-made') ?? near[0];
  const inUse = istiod?.vault !== undefined ? 'injected' : csr !== undefined ? 'istio-csr' : signing;
  const roots = typeof inUse === 'object' && inUse.roots.length > 0 ? inUse.roots : publishedRoots(objects);
  const config = meshConfig(objects.configMaps) ?? domainOf(csr?.trustDomain || istiod?.trustDomain);
  const injectors = foundInjectors(objects.webhooks);
  return { istiods, istiod, csr, secrets, injectors, inUse, config, roots };
}

const domainOf = (trustDomain: string | undefined): MeshConfig | undefined =>
  trustDomain ? { trustDomain, trustDomainAliases: [] } : undefined;

/** What istiod (or istio-csr) tells every namespace. */
function publishedRoots({ configMaps }: ClusterObjects): Certificate[] {
  return configMaps
    .filter(({ metadata }) => metadata.name === 'istio-ca-root-cert')
    .flatMap(({ data }) => certificatesIn(textOf(recordOf(data)['root-cert.pem'])));
}

function vaultOf(csr: IstioCsr | undefined): ClusterDraft['vault'] {
  const server = csr?.signer?.vault?.server ?? '';
  return server === '' ? undefined : { address: server, namespace: '' };
}

function tell(seen: Seen, now: number): lines.FoundLines[] {
  const { istiods, istiod, csr, secrets, injectors, inUse, config, roots } = seen;
  const [root] = roots;
  return [
    ...istiods.map(lines.linesOfIstiod),
    ...(istiods.length > 1
      ? [
          {
            found: [],
            decide: [`there are ${istiods.length} istiods; ${istiod?.name} is the one in this file`],
          },
        ]
      : []),
    ...(istiod === undefined
      ? [{ found: [], decide: ['no istiod was seen: istiod.namespace and istiod.serviceAccount'] }]
      : []),
    ...(istiod?.vault === undefined ? [] : [lines.linesOfInjected(istiod.vault)]),
    ...(csr === undefined ? [] : [lines.linesOfCsr(csr)]),
    ...secrets.map((secret) => lines.linesOfSecret(secret, secret === inUse, now)),
    {
      found: [
        ...(config === undefined ? [] : [`trust domain ${config.trustDomain}`]),
        ...injectors.map((name) => `an injector of Vault agents is registered: ${name}`),
        ...(root === undefined ? [] : [`root ${lines.lineOf(root, now)}`]),
        ...(roots.length > 1 ? [`${roots.length} roots are trusted: one may be on its way in or out`] : []),
      ],
      decide: [
        ...(config === undefined ? ['trustDomain: none was seen, cluster.local is Istio’s default'] : []),
        ...(root === undefined ? ['no root certificate was seen'] : []),
        ...(root !== undefined && root.notAfter <= now ? ['the root has ended: docs/replace-a-root.md'] : []),
      ],
    },
  ];
}

function wordsOf({ istiod, csr, inUse, roots }: Seen, now: number): Record<string, unknown> {
  const plugged = typeof inUse === 'object' && inUse.kind === 'plugged' ? inUse : undefined;
  const next = intermediateLike(plugged?.ca, csr?.signer?.certificate, roots[0], now);
  return {
    istiod: { namespace: istiod?.namespace, serviceAccount: istiod?.serviceAccount },
    intermediate: { ...next, ...(plugged && { import: { secret: plugged.place } }) },
    ...(istiod?.vault && { kv: istiod.vault.kv, names: namesOf(istiod.vault) }),
  };
}

function namesOf({ authMount, secretsMount, bundlePath, role }: NonNullable<FoundIstiod['vault']>): object {
  const words = { authMount, secretsMount, bundlePath, role };
  return Object.fromEntries(Object.entries(words).filter(([, word]) => word !== ''));
}

/** Paths of Vault have no limit of their own; nobody types longer ones. */
const longestWords = 2000;

/** Words that mesh.yaml does not take (names that no Kubernetes would have given) are left out, and that is said. */
function fitting(words: Readonly<Record<string, unknown>>): {
  entry: Record<string, unknown>;
  refused: string[];
} {
  const entry: Record<string, unknown> = {};
  const refused: string[] = [];
  for (const [key, value] of Object.entries(words)) {
    const plain: unknown = JSON.parse(JSON.stringify(value)); // without what is undefined
    const short = JSON.stringify(plain).length <= longestWords;
    if (short && clusterSchema.safeParse({ name: 'x', [key]: plain }).success) entry[key] = plain;
    else refused.push(`${key}: what was found does not fit into mesh.yaml: ${JSON.stringify(plain)}`);
  }
  return { entry, refused };
}
