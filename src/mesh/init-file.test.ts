import { describe, expect, test } from 'vitest';
import { initFile } from './init-file.ts';
import { parseMesh } from './load.ts';

const answers = {
  vault: 'https://vault.example:8200',
  trustDomain: 'cluster.local',
  clusters: ['eu=prod-eu', 'arn:aws:eks:eu-west-1:1:cluster/Prod_US', '8080'],
  keyType: 'ec-p384',
  injector: true,
};

describe('a fresh mesh.yaml', () => {
  test('says what was answered, with names made of contexts', () => {
    const mesh = parseMesh(initFile(answers), 'mesh.yaml');
    expect(mesh.clusters.map(({ name, context }) => [name, context])).toEqual([
      ['eu', 'prod-eu'],
      ['prod-us', 'arn:aws:eks:eu-west-1:1:cluster/Prod_US'],
      ['8080', '8080'],
    ]);
    expect(mesh.clusters[0]?.injector).toMatchObject({ namespace: 'vault' });
    expect(initFile({ ...answers, injector: false })).not.toContain('injector');
  });

  test('holds no answer that does not fit', () => {
    expect(() => initFile({ ...answers, keyType: 'rsa-512' })).toThrow(
      'root.keyType must be ec-p256 or ec-p384 or rsa-4096',
    );
    expect(() => initFile({ ...answers, clusters: ['///'] })).toThrow(
      expect.objectContaining({ code: 'bad-cluster-name' }),
    );
  });
});
