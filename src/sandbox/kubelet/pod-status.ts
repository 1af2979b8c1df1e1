import { podIp } from './field-values.ts';
import { findImage, type ImageProgram } from './images.ts';
import { type Container, isSidecar, type Pod, type PodCondition } from './pod.ts';

export interface Terminated {
  readonly exitCode: number;
  readonly signal?: number | undefined;
  readonly reason: string;
  readonly message?: string | undefined;
  readonly startedAt: number;
  readonly finishedAt: number;
}

export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message?: string | undefined }
  | { readonly kind: 'running'; readonly startedAt: number }
  | ({ readonly kind: 'terminated' } & Terminated);

/** What the kubelet knows of one container. */
export interface ContainerRecord {
  readonly container: Container;
  readonly init: boolean;
  /** Of its latest run; empty before the first. */
  id: string;
  state: ContainerState;
  last: Terminated | undefined;
  restarts: number;
  /** Running and its startup probe, if any, has succeeded. */
  started: boolean;
  ready: boolean;
}

export function newRecord(container: Container, init: boolean, hasInits: boolean): ContainerRecord {
  const reason = init || !hasInits ? 'ContainerCreating' : 'PodInitializing';
  return {
    container,
    init,
    id: '',
    state: { kind: 'waiting', reason: init ? 'PodInitializing' : reason },
    last: undefined,
    restarts: 0,
    started: false,
    ready: false,
  };
}

export interface PodState {
  readonly records: readonly ContainerRecord[];
  /** Set when no container will run again. */
  readonly ended: 'Succeeded' | 'Failed' | undefined;
  readonly startedAt: number;
}

/** Status of the pod as the API shows it. Pure; conditions keep their time while they do not change. */
export function podStatus(pod: Pod, state: PodState, now: number): Record<string, unknown> {
  const inits = state.records.filter((record) => record.init);
  const mains = state.records.filter((record) => !record.init);
  const initialized = inits.every(initDone);
  const containersReady = mains.every((record) => record.ready);
  const sidecarsReady = inits.filter((record) => isSidecar(record.container)).every((record) => record.ready);
  const ready = initialized && containersReady && sidecarsReady && state.ended === undefined;
  const blocked = blockedConditions(state, initialized, ready);
  return {
    phase: state.ended ?? (initialized && mains.some(hasStarted) ? 'Running' : 'Pending'),
    conditions: conditions(pod, now, blocked),
    hostIP: podIp,
    hostIPs: [{ ip: podIp }],
    podIP: podIp,
    podIPs: [{ ip: podIp }],
    ...(pod.status?.qosClass === undefined && { qosClass: 'BestEffort' }), // fixed once an API server has set it
    startTime: iso(state.startedAt),
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits.map(statusOf) }),
    containerStatuses: mains.map(statusOf),
  };
}

function initDone(record: ContainerRecord): boolean {
  if (isSidecar(record.container)) return record.started;
  return record.state.kind === 'terminated' && record.state.exitCode === 0;
}

function hasStarted(record: ContainerRecord): boolean {
  return record.state.kind !== 'waiting' || record.last !== undefined;
}

interface Judged {
  readonly type: string;
  readonly ok: boolean;
  readonly reason?: string;
  readonly message?: string;
}

function blockedConditions(state: PodState, initialized: boolean, ready: boolean): Judged[] {
  const names = (records: readonly ContainerRecord[]): string =>
    `[${records.map((record) => record.container.name).join(' ')}]`;
  const unready = state.records.filter((r) => (!r.init || isSidecar(r.container)) && !r.ready);
  const incomplete = state.records.filter((record) => record.init && !initDone(record));
  const whyNot =
    state.ended === undefined
      ? { reason: 'ContainersNotReady', message: `containers with unready status: ${names(unready)}` }
      : { reason: state.ended === 'Succeeded' ? 'PodCompleted' : 'PodFailed' };
  const uninitialized = {
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: ${names(incomplete)}`,
  };
  return [
    { type: 'PodReadyToStartContainers', ok: state.ended === undefined },
    { type: 'Initialized', ok: initialized, ...(initialized ? {} : uninitialized) },
    { type: 'Ready', ok: ready, ...(ready ? {} : whyNot) },
    { type: 'ContainersReady', ok: ready, ...(ready ? {} : whyNot) },
    { type: 'PodScheduled', ok: true },
  ];
}

function conditions(pod: Pod, now: number, judged: readonly Judged[]): PodCondition[] {
  const before = pod.status?.conditions ?? [];
  return judged.map(({ type, ok, reason, message }) => {
    const status = ok ? 'True' : 'False';
    const old = before.find((condition) => condition.type === type);
    const since = old?.status === status ? old.lastTransitionTime : undefined;
    return {
      type,
      status,
      lastTransitionTime: since ?? iso(now),
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    };
  });
}

function statusOf(record: ContainerRecord): Record<string, unknown> {
  const { container } = record;
  return {
    name: container.name,
    image: container.image,
    imageID: record.state.kind === 'waiting' && record.last === undefined ? '' : `local://${container.image}`,
    ...(record.id === '' ? {} : { containerID: record.id }),
    ready: record.init && !isSidecar(container) ? initDone(record) : record.ready,
    started: record.started,
    restartCount: record.restarts,
    state: stateOf(record.state),
    lastState: record.last === undefined ? {} : stateOf({ kind: 'terminated', ...record.last }),
  };
}

function stateOf(state: ContainerState): Record<string, unknown> {
  switch (state.kind) {
    case 'waiting':
      return { waiting: { reason: state.reason, ...(state.message ? { message: state.message } : {}) } };
    case 'running':
      return { running: { startedAt: iso(state.startedAt) } };
    case 'terminated':
      return {
        terminated: {
          exitCode: state.exitCode,
          ...(state.signal === undefined ? {} : { signal: state.signal }),
          reason: state.reason,
          ...(state.message ? { message: state.message } : {}),
          startedAt: iso(state.startedAt),
          finishedAt: iso(state.finishedAt),
        },
      };
  }
}

/** Kubernetes times have seconds. */
function iso(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Why `image` cannot run here. */
export function unknownImageMessage(table: readonly ImageProgram[], image: string): string | undefined {
  if (findImage(table, image) !== undefined) return undefined;
  const known = table.map((program) => program.repositories[0]).join(', ');
  return `no local program stands for image "${image}"; this node runs: ${known}`;
}
