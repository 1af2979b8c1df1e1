import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { systemClock } from '../lib/clock.ts';
import { createClusterAuthority } from './cluster-authority.ts';

test('the kubeconfigs of two clusters can be joined: no name of one is in the other', async () => {
  const names = await Promise.all(
    ['eu', 'us'].map(async (cluster) => {
      const authority = await createClusterAuthority(systemClock);
      const kubeconfig = await authority.kubeconfig(cluster, 'https://127.0.0.1:1', 'admin', [
        'system:masters',
      ]);
      const { clusters, users, contexts } = parse(kubeconfig.reveal()) as Record<string, { name: string }[]>;
      return [...(clusters ?? []), ...(users ?? []), ...(contexts ?? [])].map(({ name }) => name);
    }),
  );
  expect(names).toEqual([
    ['eu', 'admin@eu', 'eu'],
    ['us', 'admin@us', 'us'],
  ]);
});
