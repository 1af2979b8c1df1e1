import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  createPod,
  ended,
  freshNodePerTest,
  kube,
  kubelet,
  output,
  sh,
  startNode,
  status,
} from './test-node.ts';

freshNodePerTest();

test('an unscheduled pod is bound, its init containers run in order before its containers, and it succeeds', async () => {
  await startNode();
  await createPod('p', {
    restartPolicy: 'Never',
    volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }],
    initContainers: [
      sh('one', 'echo 1 >> /data/order', { volumeMounts: [{ name: 'v', mountPath: '/data' }] }),
      sh('two', 'echo 2 >> /data/order', { volumeMounts: [{ name: 'v', mountPath: '/data' }] }),
    ],
    containers: [
      sh('main', 'cat /work/order; hello; echo dev > /dev/stdout', {
        volumeMounts: [{ name: 'v', mountPath: '/work' }],
      }),
    ],
  });
  const done = await status('p', ended);
  expect(done.phase).toBe('Succeeded');
  expect(done.initContainerStatuses?.map((c) => c.state.terminated?.reason)).toEqual([
    'Completed',
    'Completed',
  ]);
  expect(await output('p', 'main')).toEqual(['1', '2', 'hello', 'dev']);
  expect(kubelet.hostPath('ns', 'p', 'main', '/work/order')).toBe(
    join(kubelet.podDir('ns', 'p') ?? '', 'volumes/v/order'),
  );
});

test('a failing container is restarted with back-off and shows why', async () => {
  await startNode({ backoff: { base: 300 } });
  await createPod('p', { containers: [sh('main', 'echo run; exit 3')] });
  const waiting = await status(
    'p',
    (s) => s.containerStatuses[0]?.state.waiting?.reason === 'CrashLoopBackOff',
  );
  const [container] = waiting.containerStatuses;
  expect(container?.lastState.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
  expect(container?.restartCount).toBe(2);
  expect(container?.state.waiting?.message).toMatch(
    /^back-off 0s restarting failed container=main pod=p_ns\(/,
  );
});

test('an init container that fails under restartPolicy Never fails the pod', async () => {
  await startNode();
  await createPod('p', {
    restartPolicy: 'Never',
    initContainers: [sh('i', 'exit 1')],
    containers: [sh('main', 'true')],
  });
  const failed = await status('p', ended);
  expect(failed.phase).toBe('Failed');
  expect(failed.containerStatuses[0]?.state.waiting?.reason).toBe('PodInitializing');
});

test('an unknown image waits with ErrImagePull and says what is known', async () => {
  await startNode();
  await createPod('p', { containers: [{ name: 'main', image: 'docker.io/nginx:1' }] });
  const waiting = await status('p', (s) => s.containerStatuses[0]?.state.waiting?.reason === 'ErrImagePull');
  expect(waiting.containerStatuses[0]?.state.waiting?.message).toBe(
    'no local program stands for image "docker.io/nginx:1"; this node runs: test/sh',
  );
});

test('a native sidecar starts first, after its startup probe, and is ended last', async () => {
  await startNode();
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  await createPod('p', {
    restartPolicy: 'Never',
    volumes: [{ name: 'v', emptyDir: {} }],
    initContainers: [
      sh('side', "trap 'exit 0' TERM; sleep 0.2; touch /v/up; while :; do sleep 0.05; done", {
        restartPolicy: 'Always',
        startupProbe: { exec: { command: ['test', '-f', '/v/up'] }, periodSeconds: 1 },
        volumeMounts,
      }),
    ],
    containers: [sh('main', 'test -f /v/up && echo sidecar is up', { volumeMounts })],
  });
  const done = await status('p', ended);
  expect(done.phase).toBe('Succeeded');
  expect(await output('p', 'main')).toEqual(['sidecar is up']);
  const stopped = await status('p', (s) => s.initContainerStatuses?.[0]?.state.terminated !== undefined);
  expect(stopped.initContainerStatuses?.[0]?.state.terminated?.exitCode).toBe(0);
});

test('readiness follows its probe', async () => {
  await startNode();
  await createPod('p', {
    volumes: [{ name: 'v', emptyDir: {} }],
    containers: [
      sh('main', 'sleep 0.2; touch /v/ready; sleep 60', {
        readinessProbe: { exec: { command: ['test', '-f', '/v/ready'] }, periodSeconds: 1 },
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
      }),
    ],
  });
  const running = await status('p', (s) => s.phase === 'Running');
  expect(running.containerStatuses[0]?.ready).toBe(false);
  const ready = await status('p', (s) => s.containerStatuses[0]?.ready === true);
  expect(ready.conditions.find((c) => c.type === 'Ready')?.status).toBe('True');
});

test('a deleted pod gets preStop, SIGTERM and its grace; then its object and folder are gone', async () => {
  await startNode();
  await createPod('p', {
    containers: [
      sh('main', "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done", {
        lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'touch /tmp/hook'] } } },
      }),
    ],
  });
  await status('p', (s) => s.phase === 'Running');
  const folder = kubelet.podDir('ns', 'p') ?? '';
  await expect.poll(() => output('p', 'main')).toEqual(['up']);
  await kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: 'p' });
  const last = await status('p', (s) => s.containerStatuses[0]?.state.terminated !== undefined);
  expect(last.containerStatuses[0]?.state.terminated?.exitCode).toBe(0);
  await expect
    .poll(() => kube.get({ apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: 'p' }))
    .toBeUndefined();
  await expect.poll(() => existsSync(folder)).toBe(false);
});

test('a container that ignores SIGTERM is killed with everything it started', async () => {
  await startNode();
  await createPod('p', {
    terminationGracePeriodSeconds: 1,
    containers: [sh('main', "trap '' TERM; sleep 300 & echo $!; while :; do sleep 0.05; done")],
  });
  const pids = [expect.stringMatching(/^\d+$/)];
  await expect.poll(() => output('p', 'main').catch(() => [])).toEqual(pids);
  const pid = Number((await output('p', 'main'))[0]);
  await kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: 'p' }, { gracePeriodSeconds: 1 });
  const last = await status('p', (s) => s.containerStatuses[0]?.state.terminated !== undefined);
  expect(last.containerStatuses[0]?.state.terminated).toMatchObject({ exitCode: 137, signal: 9 });
  await expect.poll(() => existsSync(`/proc/${pid}/exe`)).toBe(false);
});

test('the node is registered and its lease renewed', async () => {
  await startNode();
  const node = await kube.get({ apiVersion: 'v1', kind: 'Node', name: 'node1' });
  expect(node?.status).toMatchObject({ addresses: [{ type: 'InternalIP', address: '127.0.0.1' }, {}] });
  await expect
    .poll(() =>
      kube.get({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        namespace: 'kube-node-lease',
        name: 'node1',
      }),
    )
    .toBeDefined();
});
