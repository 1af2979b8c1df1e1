import { describe, expect, test } from 'vitest';
import { days } from '../../lib/duration.ts';
import { parseMesh } from '../load.ts';
import { lifetimesResource } from './lifetimes.ts';

const now = Date.parse('2026-11-22T00:00:00Z');

function decide(rootTtl: string, ttl: string, rootEnds?: number) {
  const mesh = parseMesh(
    `apiVersion: meshroot/v1\nkind: Mesh\nvault: {address: "http://v:8200"}\nroot: {ttl: ${rootTtl}}\nclusters: [{name: c1, intermediate: {ttl: ${ttl}}}]`,
    'm',
  );
  const [cluster] = mesh.clusters;
  if (cluster === undefined) throw new Error('no cluster');
  return lifetimesResource(mesh, cluster).decide({ rootEnds }, { now, adopt: false });
}

describe('lifetimes', () => {
  test('the defaults nest', () => {
    expect(decide('10y', '90d')).toEqual({ kind: 'keep' });
  });

  test('an intermediate that is to live longer than the root is refused before anything is written', () => {
    expect(decide('30d', '90d')).toMatchObject({ kind: 'refuse', error: { code: 'ttl-outlives-issuer' } });
  });

  test('an intermediate that would outlive what is left of the living root is refused', () => {
    expect(decide('10y', '90d', now + days(60))).toMatchObject({
      kind: 'refuse',
      error: { code: 'outlives-issuer' },
    });
  });

  test('one that leaves no room for a full workload certificate is a warning', () => {
    expect(decide('10y', '1d')).toMatchObject({
      kind: 'keep',
      warning: expect.stringContaining('a workload certificate'),
    });
  });
});
