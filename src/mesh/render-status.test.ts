import { describe, expect, test } from 'vitest';
import { days } from '../lib/duration.ts';
import { testMesh, testNow } from '../x509/test-ca.ts';
import { exitCodeOfStatus, renderStatus, statusToJson } from './render-status.ts';
import type { ClusterStatus, MeshStatus } from './status.ts';

const { root, intermediate, leaf } = await testMesh();
const cluster: ClusterStatus = {
  name: 'eu',
  place: 'https://v kubernetes-eu-secrets/istiod-service/certs',
  intermediate: intermediate.certificate,
  presented: [leaf.certificate, intermediate.certificate],
  readers: ['istiod: istiod@istio-system reads its bundle'],
  problems: [],
  unseen: false,
};
const statusOf = (...clusters: ClusterStatus[]): MeshStatus => ({
  root: root.certificate,
  rootKey: 'vault meshroot-root, not exportable',
  clusters,
});
const context = { now: testNow, within: days(0.5), alert: (line: string) => `!${line}` };

describe('status', () => {
  test('is a tree: root, intermediates with serial and place, what istiod serves, who reads', () => {
    const { serial } = intermediate.certificate;
    expect(
      renderStatus(statusOf(cluster), context),
    ).toBe(`Root CA                   ec-p256    3650d  key: vault meshroot-root, not exportable
└─ eu                     ec-p256      90d  ${serial}   https://v kubernetes-eu-secrets/istiod-service/certs
   ├─ istiod              ec-p256      24h  serves the stored one
   └─ istiod: istiod@istio-system reads its bundle
1 cluster
`);
    expect(exitCodeOfStatus(statusOf(cluster), context)).toBe(0);
  });

  test('what ends soon stands out, is counted, and makes the exit code 1', () => {
    const soon = { ...context, within: days(100) };
    const text = renderStatus(statusOf(cluster), soon);
    expect(text).toContain('!eu ');
    expect(text).toContain('1 cluster. 2 ending soon, the first 2026-01-02');
    expect(exitCodeOfStatus(statusOf(cluster), soon)).toBe(1);
    expect(statusToJson(statusOf(cluster), soon)).toMatchObject({
      ok: false,
      clusters: [{ name: 'eu', intermediate: { daysLeft: 90 } }],
    });
  });

  test('an istiod that serves an older intermediate is told with its serial', () => {
    const late = { ...cluster, presented: [leaf.certificate, root.certificate] };
    expect(renderStatus(statusOf(late), context)).toContain(`still serves ${root.certificate.serial}`);
    expect(exitCodeOfStatus(statusOf(late), context)).toBe(1);
  });

  test('what may not be seen is not taken for missing: exit code 2, not 1', () => {
    const { intermediate: _, presented: __, ...rest } = cluster;
    const blind = { ...rest, intermediate: undefined, presented: undefined, problems: ['permission denied'] };
    expect(exitCodeOfStatus(statusOf({ ...blind, unseen: true }), context)).toBe(2);
    expect(exitCodeOfStatus(statusOf({ ...blind, unseen: false }), context)).toBe(1);
    expect(renderStatus(statusOf({ ...blind, unseen: true }), context)).toContain('!? permission denied');
  });
});
