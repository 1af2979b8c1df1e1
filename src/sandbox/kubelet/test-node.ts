import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { KubeObject } from '../../kube/api.ts';
import { FakeKube } from './fake-kube.ts';
import type { ImageProgram } from './images.ts';
import { type Kubelet, type KubeletOptions, start } from './kubelet.ts';

/** A node on a fake API server, for tests. */

const images: ImageProgram[] = [
  {
    repositories: ['test/sh'],
    tools: { hello: { argv: ['/bin/echo', 'hello'] } },
    entrypoint: ['/bin/sh', '-c'],
  },
];

let dir: string;
export let kube: FakeKube;
export let kubelet: Kubelet;

/** Called at the top of a test file: each of its tests gets an API server and a folder of its own, and its kubelet is stopped. */
export function freshNodePerTest(): void {
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kubelet-'));
    kube = new FakeKube();
  });

  afterEach(async () => {
    await kubelet.stop(100);
    await rm(dir, { recursive: true, force: true });
  });
}

export async function startNode(options: Partial<KubeletOptions> = {}): Promise<void> {
  const backoff = { base: 20 };
  kubelet = await start({
    kube,
    nodeName: 'node1',
    dir,
    images,
    backoff,
    env: { SECRET_OF_PARENT: 'x' },
    ...options,
  });
}

export const sh = (name: string, script: string, more: object = {}) => ({
  name,
  image: 'test/sh:1',
  args: [script],
  ...more,
});

export async function createPod(name: string, spec: object, metadata: object = {}): Promise<void> {
  await kube.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'ns', ...metadata },
    spec,
  } as KubeObject);
}

export interface Status {
  phase: string;
  conditions: { type: string; status: string }[];
  initContainerStatuses?: ContainerStatus[];
  containerStatuses: ContainerStatus[];
}
export interface ContainerStatus {
  ready: boolean;
  started: boolean;
  restartCount: number;
  state: Record<string, Record<string, unknown>>;
  lastState: Record<string, Record<string, unknown>>;
}

/** Waits for a pod's status to fulfil `wanted`. */
export function status(name: string, wanted: (status: Status) => boolean): Promise<Status> {
  return new Promise((resolve, reject) => {
    const stop = new AbortController();
    let last: unknown;
    const late = setTimeout(
      () => reject(new Error(`status of ${name} stayed ${JSON.stringify(last)}`)),
      10_000,
    );
    void kube.watch(
      { apiVersion: 'v1', kind: 'Pod' },
      {},
      (event) => {
        if (event.type === 'SYNCED' || event.object.metadata.name !== name) return;
        last = event.object.status;
        if (last === undefined || !wanted(last as Status)) return;
        clearTimeout(late);
        queueMicrotask(() => stop.abort());
        resolve(last as Status);
      },
      stop.signal,
    );
  });
}

export const ended = (s: Status) => s.phase === 'Succeeded' || s.phase === 'Failed';
export const output = async (pod: string, container: string, run = 0): Promise<string[]> => {
  const file = join(kubelet.podDir('ns', pod) ?? '', 'containers', container, `${run}.log`);
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => line.split(' ').slice(3).join(' '));
};
