import type { KubeApi, KubeObject } from '../kube/api.ts';
import type { Clock } from '../lib/clock.ts';
import { codeOf, MeshrootError } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';
import type { ProjectedConfig } from './projected-config.ts';

/** Marks what the injector wrote and may take away again. */
export const configMapLabel = 'meshroot.io/agent-config';
/** When a pod that refers to it was admitted last, RFC 3339. */
export const usedAtAnnotation = 'meshroot.io/used-at';

export interface ConfigMapWriterOptions {
  readonly kube: Pick<KubeApi, 'create' | 'patch'>;
  readonly clock: Clock;
}

/** A Deployment makes many pods of one configuration: for so long it is not written again. */
const knownMs = 60_000;
const mostKnown = 1000;
/** The API server waits 10 s for the webhook, which waits here for the API server. */
const longestWriteMs = 6000;

const type = { apiVersion: 'v1', kind: 'ConfigMap' } as const;

/** Writes the ConfigMaps that injected pods refer to. */
export class ConfigMapWriter {
  readonly #options: ConfigMapWriterOptions;
  /** Writes under way and done, by namespace and name; oldest first. */
  readonly #known = new Map<string, { readonly until: number; readonly done: Promise<void> }>();

  constructor(options: ConfigMapWriterOptions) {
    this.#options = options;
  }

  /**
   * Resolves when it is there with this content.
   * @throws MeshrootError `config-map-write` when it is not: the pod would never start
   */
  write(namespace: string, config: ProjectedConfig): Promise<void> {
    const now = this.#options.clock.now();
    const key = `${namespace}/${config.name}`;
    for (const [old, { until }] of this.#known) {
      if (until > now && this.#known.size < mostKnown) break;
      this.#known.delete(old);
    }
    const known = this.#known.get(key);
    if (known !== undefined) return known.done;
    const done = this.#inTime(key, this.#ensure(namespace, config, now));
    this.#known.set(key, { until: now + knownMs, done });
    done.catch(() => this.#known.delete(key));
    return done;
  }

  async #ensure(namespace: string, { name, data }: ProjectedConfig, now: number): Promise<void> {
    const { kube } = this.#options;
    const annotations = { [usedAtAnnotation]: new Date(now).toISOString() };
    const labels = { 'app.kubernetes.io/managed-by': 'meshroot-injector', [configMapLabel]: 'true' };
    const wanted = { ...type, metadata: { name, namespace, labels, annotations }, immutable: true, data };
    try {
      await kube.create(wanted);
    } catch (error) {
      if (codeOf(error) !== 'kube-already-exists') throw error;
      const there = await kube.patch(
        { ...type, name, namespace },
        { metadata: { labels, annotations } },
        'merge',
      );
      if (!sameData(there, data)) throw foreign(namespace, name);
    }
  }

  async #inTime(key: string, work: Promise<void>): Promise<void> {
    const over = new AbortController();
    const late = this.#options.clock.sleep(longestWriteMs, over.signal).then(() => {
      throw new Error(`the API server did not answer within ${longestWriteMs / 1000} s`);
    });
    late.catch(() => {}); // ended below
    try {
      await Promise.race([work, late]);
    } catch (error) {
      throw failure(key, error);
    } finally {
      over.abort();
    }
  }
}

function sameData({ data }: KubeObject, wanted: ProjectedConfig['data']): boolean {
  const there = isRecord(data) ? data : {};
  const names = Object.keys(wanted);
  return Object.keys(there).length === names.length && names.every((name) => there[name] === wanted[name]);
}

function foreign(namespace: string, name: string): MeshrootError {
  return new MeshrootError('config-map-write', 'it is there with another content than its name says', {
    hint: `somebody else wrote it: kubectl -n ${namespace} delete configmap ${name}`,
  });
}

const rights =
  "may the injector create and patch ConfigMaps there? The chart's value injector.configMaps and injector manifests -config-maps=true grant it";

function failure(key: string, error: unknown): MeshrootError {
  const why = error instanceof Error ? error.message : String(error);
  const own = error instanceof MeshrootError ? error.hint : undefined;
  const hint = codeOf(error) === 'kube-forbidden' ? rights : own;
  return new MeshrootError(
    'config-map-write',
    `ConfigMap ${key} with the agents' configuration cannot be written: ${why}`,
    {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    },
  );
}
