import { z } from 'zod';
import { parseDuration } from '../lib/duration.ts';

/** Key types that meshroot makes CA keys of. */
const keyType = z.enum(['ec-p256', 'ec-p384', 'rsa-4096']);

/** A duration as people write it (`90d`, `12h`); becomes milliseconds. */
const duration = z
  .string({ error: 'is not a duration; write for example 90d, 12h or 10y' })
  .refine((text) => isPositiveDuration(text), {
    message: 'is not a duration; write for example 90d, 12h or 10y',
  })
  .transform((text) => parseDuration(text));

/** Names that become Vault paths and Kubernetes labels: RFC 1123 labels. */
const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be lower case letters, digits and "-", at most 63');

/** Service accounts may have dots: RFC 1123 subdomains. */
const accountName = z
  .string()
  .regex(
    /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    'must be lower case letters, digits, "-" and ".", at most 253',
  );

const istiod = z.strictObject({
  namespace: dnsLabel.default('istio-system'),
  serviceAccount: accountName.default('istiod'),
  /** host:port where this cluster's Istio CA answers, to confirm a delivery on the wire. */
  address: z
    .string()
    .regex(/^[^\s/]+:\d+$/, 'must be host:port')
    .optional(),
  /** Written only where meshroot runs istiod itself (the sandbox); elsewhere istiod comes from its own chart. */
  deploy: z
    .strictObject({
      image: z.string().default('istio/pilot:1.30.3'),
      args: z.array(z.string()).default(['discovery']),
      env: z.record(z.string(), z.string()).default({}),
      /** Where istiod answers /ready. */
      readyPort: z.number().int().min(1).max(65535).default(8080),
    })
    .optional(),
});

/** A CA that a cluster has already: taken into Vault as it is, once, instead of a new one. */
const importedCa = z
  .strictObject({
    /** Secret of the cluster itself, in the layout of Istio's `cacerts`. */
    secret: z
      .string()
      .regex(
        /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
        'must be NAMESPACE/NAME',
      )
      .optional(),
    /** Folder with the four files: ca-key.pem, ca-cert.pem, cert-chain.pem, root-cert.pem. */
    folder: z.string().min(1).optional(),
  })
  .refine(({ secret, folder }) => (secret === undefined) !== (folder === undefined), {
    message: 'needs secret or folder, one of the two',
  });

const intermediate = z.strictObject({
  keyType: keyType.default('ec-p256'),
  ttl: duration.default(parseDuration('90d')),
  /** Part of its life after which it is renewed. */
  renewAt: z.number().gt(0.1).lt(0.95).default(0.5),
  /** `file` for istiod, which reads its key; `keyless` for meshroot's CA: the key stays in Vault, which signs. */
  delivery: z.enum(['file', 'keyless']).default('file'),
  import: importedCa.optional(),
});

const injector = z.strictObject({
  namespace: dnsLabel.default('vault'),
  image: z.string().default('hashicorp/vault-k8s:1.7.6'),
  agentImage: z.string().default('hashicorp/vault:2.0.4'),
  /** Where the webhook listens, :8080 unless told otherwise; pods of the sandbox share one network and need one each. */
  listen: z.string().regex(/:\d+$/, 'must be host:port').optional(),
  /** Where the API server reaches the webhook, for one that cannot reach it by its Service. */
  url: z.url({ protocol: /^https$/, error: 'must be an https URL' }).optional(),
  /** How often a running agent looks for a new bundle. */
  refresh: z.string().default('5m'),
  /** Only pods of these namespaces wait while the injector is away, the others start as they are; absent: all wait. */
  failClosed: z.array(dnsLabel).min(1).optional(),
  /** A refused pod becomes an Event. */
  events: z.boolean().optional(),
  /** What namespaces may ask for, as in the file of `-policy-file`; the injector's own reader checks its rules. */
  policy: z.looseObject({ rules: z.array(z.looseObject({ namespaces: z.array(z.string()) })) }).optional(),
});

/** Paths and mounts of Vault: words with "/" between them. */
const vaultPath = z
  .string()
  .max(256, 'must be a path of Vault, at most 256 characters')
  .regex(/^[\w.-]+(\/[\w.-]+)*$/, 'must be a path of Vault such as kubernetes-eu or istiod-service/certs');

/** Where what belongs to a cluster lives in Vault, when not under the usual names. */
const names = z.strictObject({
  authMount: vaultPath.optional(),
  secretsMount: vaultPath.optional(),
  bundlePath: vaultPath.optional(),
  pkiMount: vaultPath.optional(),
  role: vaultPath.optional(),
  policy: vaultPath.optional(),
});

/** Who besides istiod logs in from a cluster, and what for. */
const access = z.strictObject({
  name: dnsLabel,
  /** One, or a list: the service account of that name in each. */
  namespace: z.union([dnsLabel, z.array(dnsLabel).min(1)], {
    error: 'must be a namespace or a list of them: lower case letters, digits and "-", at most 63',
  }),
  serviceAccount: accountName,
  can: z.enum(['read', 'write', 'audit']).default('read'),
  /** Entry of the cluster's secrets mount; the bundle itself without it. */
  path: vaultPath.optional(),
});

const gateway = z
  .strictObject({
    /** That of its service account unless told otherwise. */
    name: accountName.optional(),
    namespace: dnsLabel,
    /** The gateway's own name unless told otherwise. */
    serviceAccount: accountName.optional(),
    /** Names that it serves: a certificate for them is issued by the root and renewed by apply. */
    hosts: z
      .array(z.string().regex(/^(\*\.)?[a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?$/, 'must be a DNS name'))
      .min(1)
      .optional(),
    keyType: keyType.default('ec-p256'),
    ttl: duration.default(parseDuration('90d')),
    /** A certificate made elsewhere (a public CA), put into Vault as it is. */
    files: z.strictObject({ cert: z.string(), key: z.string(), ca: z.string().optional() }).optional(),
  })
  .refine(({ hosts, files }) => hosts === undefined || files === undefined, {
    message: 'has hosts and files; its certificate is either issued or placed',
  })
  .refine(({ name, serviceAccount }) => name !== undefined || serviceAccount !== undefined, {
    message: 'needs a name or a serviceAccount',
  })
  .transform(({ name, serviceAccount, ...rest }) => {
    const known = name ?? serviceAccount ?? '';
    return { ...rest, name: known, serviceAccount: serviceAccount ?? known };
  });

const vaultAddress = z.url({
  protocol: /^https?$/,
  error: 'must be a URL such as https://vault.example:8200',
});

/** TLS to a Vault: PEM files, and the name in its certificate where that is not the one of the address. */
const vaultTls = {
  /** The authority of Vault's own certificate. */
  caCert: z.string().optional(),
  /** For a Vault that asks its callers for one. */
  clientCert: z.string().optional(),
  clientKey: z.string().optional(),
  serverName: z.string().min(1).optional(),
};

/** A Vault, or a namespace of one, for a single cluster. */
const ownVault = z.strictObject({
  address: vaultAddress.optional(),
  namespace: vaultPath.optional(),
  ...vaultTls,
  podAddress: z.string().optional(),
  /** Environment variable with the token for it; VAULT_TOKEN without it. */
  tokenEnv: z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]*$/, 'must be the name of an environment variable')
    .optional(),
});

/** One cluster of mesh.yaml; with `each` a pattern of many, `{n}` standing for the number. */
export const clusterSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^([a-z0-9]|\{n\})(([-a-z0-9]|\{n\}){0,61}([a-z0-9]|\{n\}))?$/,
      'must be lower case letters, digits and "-", at most 63',
    ),
  each: z
    .strictObject({ from: z.number().int().min(0), to: z.number().int().max(100_000) })
    .refine(({ from, to }) => from <= to, 'must count upwards')
    .optional(),
  names: names.optional(),
  /** Version of the KV secrets engine. */
  kv: z.union([z.literal(1), z.literal(2)], { error: 'must be 1 or 2' }).default(1),
  /**
   * Whose token asks Kubernetes who logs in: the caller's own, or one stored in Vault; with `jwks` nobody asks, Vault
   * checks the signature by the cluster's public keys.
   */
  reviewer: z.enum(['client', 'stored', 'jwks']).default('client'),
  /** Under which Vault reaches the API server, where that is not the address of the kubeconfig. */
  kubernetesHost: z.url({ protocol: /^https$/, error: 'must be an https URL' }).optional(),
  /** Whether apply lets Vault show first that it reaches the API server, which has to answer /version to anybody. */
  probeKubernetes: z.boolean().default(true),
  /** Of the tokens that may log in. */
  audience: z.string().min(1, 'must not be empty').default('https://kubernetes.default.svc'),
  vault: ownVault.optional(),
  gateways: z.array(gateway).default([]),
  access: z.array(access).default([]),
  context: z.string().optional(),
  kubeconfig: z.string().optional(),
  istiod: istiod.prefault({}),
  intermediate: intermediate.prefault({}),
  injector: injector.optional(),
});

/** The two files of a root; `certificate` is another word for `cert`. */
const importedRoot = z
  .strictObject({ cert: z.string().optional(), certificate: z.string().optional(), key: z.string() })
  .refine(({ cert, certificate }) => (cert === undefined) !== (certificate === undefined), {
    message: 'needs the file of its certificate once, as cert (or certificate)',
  })
  .transform(({ cert, certificate, key }) => ({ cert: cert ?? certificate ?? '', key }));

/** Part of every identity: `spiffe://TRUST-DOMAIN/…`. */
export const trustDomainSchema = z
  .string()
  .regex(/^[a-z0-9._-]{1,255}$/, 'must be lower case letters, digits, ".", "_" and "-"');

/** mesh.yaml: what should be. Holds no secret. */
export const meshSchema = z.strictObject({
  apiVersion: z.literal('meshroot/v1'),
  kind: z.literal('Mesh'),
  trustDomain: trustDomainSchema.default('cluster.local'),
  /** Former or other names of this trust domain, which istiod takes for it (meshConfig.trustDomainAliases). */
  trustDomainAliases: z.array(trustDomainSchema).default([]),
  vault: z.strictObject({
    address: vaultAddress,
    namespace: vaultPath.optional(),
    ...vaultTls,
    /** Address under which pods reach this Vault, where it differs from the one used here. */
    podAddress: z.string().optional(),
  }),
  root: z
    .strictObject({
      keyType: keyType.default('ec-p384'),
      ttl: duration.default(parseDuration('10y')),
      mount: vaultPath.default('meshroot-root'),
      /** A root that exists as files; its key is not needed any more once it is in Vault. */
      import: importedRoot.optional(),
      /** A root whose key is on a machine without a network; `root: offline` for short. */
      offline: z
        .strictObject({
          /** Its certificate, here. */
          cert: z.string().default('root-cert.pem'),
          /** Where requests are laid out and signed certificates are expected. */
          folder: z.string().default('meshroot-sign'),
        })
        .optional(),
    })
    .refine((root) => root.import === undefined || root.offline === undefined, {
      message: 'has import and offline; a root is kept in one place',
    })
    .prefault({}),
  clusters: z.array(clusterSchema).default([]),
  /** Folder with one cluster per *.yaml file, besides those above. */
  clustersFrom: z.string().optional(),
});

export type Mesh = z.output<typeof meshSchema>;
export type MeshCluster = Mesh['clusters'][number];
export type Gateway = MeshCluster['gateways'][number];

function isPositiveDuration(text: string): boolean {
  try {
    return parseDuration(text) > 0;
  } catch {
    return false;
  }
}
