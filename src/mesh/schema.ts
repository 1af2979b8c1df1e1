import { z } from 'zod';
import { parseDuration } from '../lib/duration.ts';

/** Key types that meshroot makes CA keys of. */
const keyType = z.enum(['ec-p256', 'ec-p384', 'rsa-4096']);

/** A duration as people write it (`90d`, `12h`); becomes milliseconds. */
const duration = z
  .string()
  .refine((text) => isPositiveDuration(text), {
    message: 'is not a duration; write for example 90d, 12h or 10y',
  })
  .transform((text) => parseDuration(text));

/** Names that become Vault paths and Kubernetes labels: RFC 1123 labels. */
const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be lower case letters, digits and "-", at most 63');

const istiod = z.strictObject({
  namespace: dnsLabel.default('istio-system'),
  serviceAccount: dnsLabel.default('istiod'),
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

const intermediate = z.strictObject({
  keyType: keyType.default('ec-p256'),
  ttl: duration.default(parseDuration('90d')),
  /** Part of its life after which it is renewed. */
  renewAt: z.number().gt(0.1).lt(0.95).default(0.5),
  delivery: z.enum(['file']).default('file'),
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
});

const cluster = z.strictObject({
  name: dnsLabel,
  context: z.string().optional(),
  kubeconfig: z.string().optional(),
  istiod: istiod.prefault({}),
  intermediate: intermediate.prefault({}),
  injector: injector.optional(),
});

/** mesh.yaml: what should be. Holds no secret. */
export const meshSchema = z.strictObject({
  apiVersion: z.literal('meshroot/v1'),
  kind: z.literal('Mesh'),
  trustDomain: z
    .string()
    .regex(/^[a-z0-9._-]{1,255}$/, 'must be lower case letters, digits, ".", "_" and "-"')
    .default('cluster.local'),
  vault: z.strictObject({
    address: z.url({ protocol: /^https?$/, error: 'must be a URL such as https://vault.example:8200' }),
    /** PEM file with the authority of Vault's own certificate. */
    caCert: z.string().optional(),
    /** Address under which pods reach this Vault, where it differs from the one used here. */
    podAddress: z.string().optional(),
  }),
  root: z
    .strictObject({
      keyType: keyType.default('ec-p384'),
      ttl: duration.default(parseDuration('10y')),
      mount: z
        .string()
        .regex(/^[\w-]+$/, 'must be one word')
        .default('meshroot-root'),
    })
    .prefault({}),
  clusters: z.array(cluster).min(1, 'needs at least one cluster'),
});

export type Mesh = z.output<typeof meshSchema>;
export type MeshCluster = Mesh['clusters'][number];

function isPositiveDuration(text: string): boolean {
  try {
    return parseDuration(text) > 0;
  } catch {
    return false;
  }
}
