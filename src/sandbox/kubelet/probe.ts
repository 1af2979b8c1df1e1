import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Container, Probe } from './pod.ts';

/** Runs a command in the container's surroundings; resolves with its exit code. */
export type ExecInContainer = (command: readonly string[], timeoutMs: number) => Promise<number>;

/** undefined = success, else why not. Never throws. */
export async function probeOnce(
  probe: Probe,
  container: Container,
  exec: ExecInContainer,
): Promise<string | undefined> {
  const timeout = (probe.timeoutSeconds ?? 1) * 1000;
  try {
    if (probe.exec) {
      const code = await exec(probe.exec.command ?? [], timeout);
      return code === 0 ? undefined : `command exited with ${code}`;
    }
    if (probe.httpGet) return await httpProbe(probe.httpGet, container, timeout);
    const port = probe.tcpSocket?.port ?? probe.grpc?.port;
    if (port !== undefined)
      await tcpProbe(probe.tcpSocket?.host || '127.0.0.1', portOf(port, container), timeout);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function httpProbe(
  get: NonNullable<Probe['httpGet']>,
  container: Container,
  timeout: number,
): Promise<string | undefined> {
  const secure = get.scheme === 'HTTPS';
  const headers = Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }) => [name, value]));
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(
      {
        host: get.host || '127.0.0.1',
        port: portOf(get.port, container),
        path: get.path || '/',
        headers: { 'user-agent': 'kube-probe/meshroot', ...headers },
        agent: false,
        timeout,
        ...(secure ? { rejectUnauthorized: false } : {}), // as the kubelet: a probe asks whether, not who
      },
      (answer) => {
        answer.resume();
        const status = answer.statusCode ?? 0;
        resolve(status >= 200 && status < 400 ? undefined : `HTTP probe failed with statuscode: ${status}`);
      },
    );
    request.once('timeout', () => request.destroy(new Error('timed out')));
    request.once('error', reject);
    request.end();
  });
}

function tcpProbe(host: string, port: number, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => socket.destroy(new Error('timed out')));
    socket.once('error', reject);
  });
}

function portOf(port: number | string, container: Container): number {
  if (typeof port === 'number') return port;
  const named = container.ports?.find((candidate) => candidate.name === port)?.containerPort;
  return named ?? Number(port);
}

export interface ProbeLoop {
  readonly probe: Probe;
  readonly container: Container;
  readonly exec: ExecInContainer;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /**
   * Ask more often than `periodSeconds` until the first success, so that a pod is ready when it is ready. Failures still
   * take as long as the spec says: `failureThreshold` periods.
   */
  readonly eager: boolean;
  /** Told when the verdict changes: `failureThreshold` or `successThreshold` answers in a row. */
  readonly onVerdict: (ok: boolean, reason: string) => void;
}

/** Probes until `signal` is aborted. */
export async function runProbe(loop: ProbeLoop): Promise<void> {
  const { probe, clock, signal } = loop;
  const period = (probe.periodSeconds ?? 10) * 1000;
  let verdict: boolean | undefined;
  let streak = 0;
  let streakFrom = 0;
  let last: boolean | undefined;
  let pause = Math.min(50, period);
  await clock.sleep((probe.initialDelaySeconds ?? 0) * 1000, signal).catch(() => {});
  while (!signal.aborted) {
    const reason = await probeOnce(probe, loop.container, loop.exec);
    if (signal.aborted) return;
    const ok = reason === undefined;
    if (ok !== last) streakFrom = clock.now();
    streak = ok === last ? streak + 1 : 1;
    last = ok;
    const needed = (ok ? probe.successThreshold : probe.failureThreshold) ?? (ok ? 1 : 3);
    const long = ok || clock.now() - streakFrom >= (needed - 1) * period;
    if (ok !== verdict && streak >= needed && long) {
      verdict = ok;
      loop.onVerdict(ok, reason ?? '');
    }
    pause = Math.min(pause * 2, period);
    await clock.sleep(loop.eager && verdict !== true ? pause : period, signal).catch(() => {});
  }
}
