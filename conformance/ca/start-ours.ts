import { systemClock } from '../../src/lib/clock.ts';
import { runningCa } from '../../test/support/running-ca.ts';
import type { StartCa } from './situations.ts';
import { remoteTarget } from './target.ts';

/** Ours, in this process; its time can be set. */
export const startOurs: StartCa = async (files) => {
  let ahead = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + ahead };
  const ca = await runningCa({ ISTIO_MULTIROOT_MESH: 'true' }, {}, undefined, { files, clock });
  const target = remoteTarget({
    kind: 'meshroot',
    address: ca.address,
    rootPem: files['root-cert.pem'],
    cluster: 'cluster1',
    namespace: 'demo',
    account: 'shop',
    token: await ca.token({ expires: '1d' }),
  });
  return {
    ...target,
    address: ca.address,
    folder: ca.folder,
    logged: (text) => ca.logged(text),
    pass: async (ms) => {
      ahead += Math.max(0, ms);
    },
    close: ca.close,
  };
};
