import { type ApiObject, isFields, listAt, numberAt, textAt, valueAt } from './fields.ts';
import { humanAge } from './human-age.ts';

export interface PodSummary {
  /** `1/2` */
  readonly ready: string;
  /** `Running`, `Init:0/1`, `Init:CrashLoopBackOff`, `Completed`, `Terminating`, … */
  readonly status: string;
  /** `0` or `3 (20s ago)` */
  readonly restarts: string;
}

/** What `kubectl get pods` says of a pod (printPod in k8s.io/kubernetes/pkg/printers/internalversion). */
export function podSummary(pod: ApiObject, now: number): PodSummary {
  const statuses = listAt(pod, 'status', 'containerStatuses');
  const inits = listAt(pod, 'status', 'initContainerStatuses');
  const total = listAt(pod, 'spec', 'containers').length;
  const ready = statuses.filter((s) => valueAt(s, 'ready') === true).length;
  const waiting = initStatus(pod, inits);
  const counted = waiting === undefined ? [...inits.filter((s) => isSidecar(pod, s)), ...statuses] : inits;
  return {
    ready: `${ready}/${total}`,
    status: deletedStatus(pod) ?? waiting ?? containerStatus(pod, statuses),
    restarts: restartsText(counted, now),
  };
}

function deletedStatus(pod: ApiObject): string | undefined {
  return pod.metadata.deletionTimestamp === undefined ? undefined : 'Terminating';
}

const isSidecar = (pod: ApiObject, status: unknown): boolean =>
  listAt(pod, 'spec', 'initContainers').some(
    (c) => textAt(c, 'name') === textAt(status, 'name') && textAt(c, 'restartPolicy') === 'Always',
  );

/** The first init container that is not done, or undefined when all are. */
function initStatus(pod: ApiObject, inits: readonly unknown[]): string | undefined {
  const total = listAt(pod, 'spec', 'initContainers').length;
  for (const [i, status] of inits.entries()) {
    const ended = valueAt(status, 'state', 'terminated');
    if (isFields(ended) && numberAt(ended, 'exitCode') === 0) continue;
    if (isSidecar(pod, status) && valueAt(status, 'started') === true) continue;
    if (isFields(ended)) return `Init:${endedText(ended)}`;
    const reason = textAt(status, 'state', 'waiting', 'reason');
    if (reason !== '' && reason !== 'PodInitializing') return `Init:${reason}`;
    return `Init:${i}/${total}`;
  }
  return undefined;
}

function endedText(ended: unknown): string {
  const reason = textAt(ended, 'reason');
  if (reason !== '') return reason;
  const signal = numberAt(ended, 'signal') ?? 0;
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${numberAt(ended, 'exitCode') ?? 0}`;
}

function containerStatus(pod: ApiObject, statuses: readonly unknown[]): string {
  let text = textAt(pod, 'status', 'reason') || textAt(pod, 'status', 'phase') || 'Unknown';
  let running = false;
  for (const status of [...statuses].reverse()) {
    const reason = textAt(status, 'state', 'waiting', 'reason');
    const ended = valueAt(status, 'state', 'terminated');
    if (reason !== '') text = reason;
    else if (isFields(ended)) text = endedText(ended);
    else if (valueAt(status, 'ready') === true && isFields(valueAt(status, 'state', 'running')))
      running = true;
  }
  return text === 'Completed' && running ? 'Running' : text;
}

function restartsText(statuses: readonly unknown[], now: number): string {
  const total = statuses.reduce((sum: number, s) => sum + (numberAt(s, 'restartCount') ?? 0), 0);
  const times = statuses
    .map((s) => textAt(s, 'lastState', 'terminated', 'finishedAt'))
    .filter((t) => t !== '');
  const last = times.sort().at(-1);
  return total > 0 && last !== undefined ? `${total} (${humanAge(last, now)} ago)` : String(total);
}
