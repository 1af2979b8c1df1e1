import type { KubeApi, KubeObject } from '../kube/api.ts';
import { codeOf, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { isRecord } from '../lib/records.ts';

export interface RootConfigMapOptions {
  readonly api: Pick<KubeApi, 'get' | 'create' | 'replace' | 'watch'>;
  /** `istio-ca-root-cert` */
  readonly name: string;
  /** Key of its data; `root-cert.pem` unless told otherwise. */
  readonly key?: string;
  /** What it holds now; undefined: no map is made, one that is there is emptied. */
  readonly rootPem: () => string | undefined;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Namespaces that istiod leaves alone. */
const passedOver = new Set(['kube-public', 'kube-node-lease', 'local-path-storage']);
const type = { apiVersion: 'v1', kind: 'ConfigMap' } as const;

/**
 * Keeps the root bundle in a ConfigMap of every namespace: workloads mount it to verify the CA. New namespaces get it
 * at once, a changed or deleted one is put right, `publish` writes a new root everywhere.
 */
export class RootConfigMaps {
  readonly #options: RootConfigMapOptions;
  readonly #namespaces = new Set<string>();
  readonly #busy = new Map<string, Promise<void>>();

  constructor(options: RootConfigMapOptions) {
    this.#options = options;
  }

  /** Follows namespaces and the maps in them until the signal is aborted. */
  async run(): Promise<void> {
    const { api, name, signal, log } = this.#options;
    const onProblem = (error: unknown) => log.warn(`watch of namespaces: ${messageOf(error)}`);
    await Promise.all([
      api.watch(
        { apiVersion: 'v1', kind: 'Namespace' },
        { onProblem },
        (event) => {
          if (event.type === 'SYNCED' || passedOver.has(event.object.metadata.name)) return;
          const namespace = event.object.metadata.name;
          if (event.type === 'DELETED' || isEnding(event.object)) this.#namespaces.delete(namespace);
          else if (!this.#namespaces.has(namespace)) {
            this.#namespaces.add(namespace);
            this.#write(namespace);
          }
        },
        signal,
      ),
      api.watch(
        type,
        { fieldSelector: `metadata.name=${name}`, onProblem },
        (event) => {
          if (event.type === 'SYNCED' || event.object.metadata.name !== name) return;
          const { namespace } = event.object.metadata;
          if (namespace === undefined || !this.#namespaces.has(namespace)) return;
          if (event.type === 'DELETED' || this.#textOf(event.object) !== (this.#options.rootPem() ?? ''))
            this.#write(namespace);
        },
        signal,
      ),
    ]);
  }

  /** Writes the root as it is now into every namespace; resolves when all are done. */
  async publish(): Promise<void> {
    await Promise.all([...this.#namespaces].map((namespace) => this.#write(namespace)));
  }

  get #key(): string {
    return this.#options.key ?? 'root-cert.pem';
  }

  #textOf({ data }: KubeObject): unknown {
    return isRecord(data) ? data[this.#key] : undefined;
  }

  /** One write at a time per namespace; a later one starts after the former and sees the newest root. */
  #write(namespace: string): Promise<void> {
    const next = (this.#busy.get(namespace) ?? Promise.resolve()).then(() => this.#put(namespace));
    this.#busy.set(namespace, next);
    return next;
  }

  async #put(namespace: string): Promise<void> {
    const { api, name, rootPem, log, signal } = this.#options;
    if (signal.aborted) return;
    const ref = { ...type, name, namespace };
    const text = rootPem();
    const data = { [this.#key]: text ?? '' };
    const labels = { 'istio.io/config': 'true' };
    try {
      const found = await api.get(ref);
      if (found === undefined && text === undefined) return;
      if (found === undefined) await api.create({ ...type, metadata: { name, namespace, labels }, data });
      else if (this.#textOf(found) === (text ?? '')) return;
      else await api.replace(corrected(found, labels, data)); // istiod's own role may update, but not patch
      log.debug(`wrote ${name} in ${namespace}`);
    } catch (error) {
      if (signal.aborted || !this.#namespaces.has(namespace)) return;
      log.error(`cannot write ConfigMap ${name} in ${namespace}: ${messageOf(error)}`, {
        code: codeOf(error),
      });
    }
  }
}

/** The map as it should be; of somebody else's change in between the watch tells, and it is put right again. */
function corrected(
  found: KubeObject,
  labels: Record<string, string>,
  data: Record<string, string>,
): KubeObject {
  const metadata = { ...found.metadata, labels: { ...found.metadata.labels, ...labels } };
  return { ...found, ...type, metadata, data };
}

function isEnding(namespace: KubeObject): boolean {
  return namespace.metadata.deletionTimestamp !== undefined;
}
