import type { IssuedToken, KubeApi } from '../../kube/api.ts';
import type { Clock } from '../../lib/clock.ts';
import { isRecord } from '../../lib/records.ts';
import type { Payload, PayloadFile } from './atomic-writer.ts';
import type { ValueSource } from './container-env.ts';
import { fieldValue, resourceValue } from './field-values.ts';
import type {
  ConfigMapSource,
  DownwardSource,
  KeyToPath,
  Pod,
  Projection,
  SecretSource,
  TokenSource,
  Volume,
} from './pod.ts';

/** A volume cannot be made yet; the pod waits in ContainerCreating, as on a real node. */
export class MountError extends Error {}

/** Reads data of ConfigMaps and Secrets through the API. */
export function apiValues(kube: KubeApi): ValueSource {
  return {
    data: async (kind, namespace, name) => {
      const object = await kube.get({ apiVersion: 'v1', kind, namespace, name });
      if (object === undefined) return undefined;
      const encoding = kind === 'Secret' ? 'base64' : 'utf8';
      return new Map([...entries(object.data, encoding), ...entries(object.binaryData, 'base64')]);
    },
  };
}

function entries(data: unknown, encoding: BufferEncoding): [string, Buffer][] {
  if (!isRecord(data)) return [];
  return Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value), encoding)]);
}

/** Tokens of one pod, asked anew at 80 % of their life or after a day (as pkg/kubelet/token does). */
export class PodTokens {
  readonly #kube: KubeApi;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, { readonly issued: IssuedToken; readonly renewAt: number }>();

  constructor(kube: KubeApi, clock: Clock) {
    this.#kube = kube;
    this.#clock = clock;
  }

  async token(pod: Pod, source: TokenSource): Promise<IssuedToken> {
    const expirationSeconds = source.expirationSeconds ?? 3600;
    const key = `${source.audience ?? ''} ${expirationSeconds}`;
    const cached = this.#tokens.get(key);
    const now = this.#clock.now();
    if (cached !== undefined && now < cached.renewAt) return cached.issued;
    const issued = await this.#kube.tokenRequest(
      pod.metadata.namespace,
      pod.spec.serviceAccountName ?? 'default',
      {
        audiences: source.audience ? [source.audience] : [],
        expirationSeconds,
        boundPod: { name: pod.metadata.name, uid: pod.metadata.uid },
      },
    );
    const life = issued.expiresAt - now;
    this.#tokens.set(key, { issued, renewAt: now + Math.min(life * 0.8, 86_400_000) });
    return issued;
  }

  /** When the next token is due (ms since the epoch); Infinity without tokens. */
  nextRenewal(): number {
    return Math.min(Infinity, ...[...this.#tokens.values()].map((token) => token.renewAt));
  }
}

export interface PayloadContext {
  readonly pod: Pod;
  readonly values: ValueSource;
  readonly tokens: PodTokens;
}

/** The files that `volume` should hold now, or undefined for volumes that we do not fill. */
export async function volumePayload(volume: Volume, context: PayloadContext): Promise<Payload | undefined> {
  if (volume.configMap) return await objectFiles('ConfigMap', volume.configMap, context);
  if (volume.secret) return await objectFiles('Secret', volume.secret, context);
  if (volume.downwardAPI) return downwardFiles(volume.downwardAPI, context.pod);
  if (!volume.projected) return undefined;
  const files = new Map<string, PayloadFile>();
  for (const source of volume.projected.sources ?? []) {
    const part = await projectionFiles(source, volume.projected.defaultMode, context);
    for (const [path, file] of part) files.set(path, file);
  }
  return files;
}

async function projectionFiles(
  source: Projection,
  defaultMode: number | undefined,
  context: PayloadContext,
): Promise<Payload> {
  const inherit = defaultMode === undefined ? {} : { defaultMode };
  if (source.configMap) return await objectFiles('ConfigMap', { ...inherit, ...source.configMap }, context);
  if (source.secret) return await objectFiles('Secret', { ...inherit, ...source.secret }, context);
  if (source.downwardAPI) return downwardFiles({ ...inherit, ...source.downwardAPI }, context.pod);
  if (source.serviceAccountToken) return await tokenFile(source.serviceAccountToken, context);
  return new Map();
}

/** 0600: all containers of a pod run as one user here. */
async function tokenFile(source: TokenSource, context: PayloadContext): Promise<Payload> {
  const issued = await context.tokens.token(context.pod, source);
  return new Map([[source.path, { data: Buffer.from(issued.token.reveal()), mode: 0o600 }]]);
}

async function objectFiles(
  kind: 'ConfigMap' | 'Secret',
  source: ConfigMapSource & SecretSource,
  { pod, values }: PayloadContext,
): Promise<Payload> {
  const name = source.secretName ?? source.name ?? '';
  const data = await values.data(kind, pod.metadata.namespace, name);
  if (data === undefined) {
    if (source.optional === true) return new Map();
    throw new MountError(`${kind.toLowerCase()} "${name}" not found`);
  }
  const mode = source.defaultMode ?? 0o644;
  if (!source.items?.length) return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode }]));
  return new Map(
    source.items.flatMap((item) => itemFile(item, data, mode, `${kind} ${name}`, source.optional)),
  );
}

function itemFile(
  item: KeyToPath,
  data: ReadonlyMap<string, Buffer>,
  mode: number,
  where: string,
  optional: boolean | undefined,
): [string, PayloadFile][] {
  const bytes = data.get(item.key);
  if (bytes !== undefined) return [[item.path, { data: bytes, mode: item.mode ?? mode }]];
  if (optional === true) return [];
  throw new MountError(`references non-existent key ${item.key} of ${where}`);
}

function downwardFiles(source: DownwardSource, pod: Pod): Payload {
  const [first] = pod.spec.containers;
  return new Map(
    (source.items ?? []).map((item) => {
      const text = item.fieldRef
        ? fieldValue(pod, item.fieldRef.fieldPath)
        : item.resourceFieldRef && first
          ? resourceValue(pod.spec.containers, first, item.resourceFieldRef)
          : '';
      return [item.path, { data: Buffer.from(text), mode: item.mode ?? source.defaultMode ?? 0o644 }];
    }),
  );
}
