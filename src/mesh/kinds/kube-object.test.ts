import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../kube/api.ts';
import { kubeObjectResource, missingParts } from './kube-object.ts';

const account: KubeObject = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'istiod', namespace: 'istio-system' },
};
const context = { now: 0, adopt: false };

describe('an object of a cluster', () => {
  test('what is wanted and there, with whatever defaults beside it, stays', () => {
    const found = {
      ...account,
      metadata: { ...account.metadata, uid: 'u1', labels: { app: 'istiod' } },
      secrets: [],
    };
    expect(kubeObjectResource('cluster1', account).decide(found, context)).toEqual({ kind: 'keep' });
  });

  test('what is not there is added', () => {
    expect(kubeObjectResource('cluster1', account).decide(undefined, context)).toMatchObject({ kind: 'add' });
  });

  test('what somebody else made and differs is refused, and taken over only when asked', () => {
    const wanted = { ...account, automountServiceAccountToken: true };
    const resource = kubeObjectResource('cluster1', wanted);
    expect(resource.decide(account, context)).toMatchObject({ kind: 'refuse', error: { code: 'not-ours' } });
    expect(resource.decide(account, { now: 0, adopt: true })).toEqual({
      kind: 'change',
      lines: ['~ automountServiceAccountToken'],
    });
  });

  test('our own is changed without asking', () => {
    const found = {
      ...account,
      metadata: { ...account.metadata, labels: { 'app.kubernetes.io/managed-by': 'meshroot' } },
    };
    const resource = kubeObjectResource('cluster1', { ...account, automountServiceAccountToken: true });
    expect(resource.decide(found, context)).toMatchObject({ kind: 'change' });
  });

  test('differences are named by their place', () => {
    const wanted = { spec: { replicas: 2, containers: [{ name: 'a', image: 'x:2' }] } };
    const found = {
      spec: { replicas: 1, containers: [{ name: 'a', image: 'x:1', resources: {} }] },
      status: {},
    };
    expect(missingParts(wanted, found)).toEqual(['~ spec.replicas', '~ spec.containers[0].image']);
    expect(missingParts({ list: [1, 2] }, { list: [1] })).toEqual(['~ list']);
  });
});
