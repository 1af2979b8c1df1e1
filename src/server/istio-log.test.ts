import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { istioLogger } from './istio-log.ts';

test('lines are istiod’s, and a peer cannot add one', () => {
  const out = new PassThrough();
  const clock = { now: () => Date.parse('2022-11-16T20:35:05.123Z'), sleep: async () => {} };
  const log = istioLogger(out, clock);
  log.info('Istiod CA has started');
  log.named('serverca').warn('bad\n2022\terror\tfake', { peer: '1.2.3.4:5' });
  log.debug('not shown');
  expect(String(out.read())).toBe(
    '2022-11-16T20:35:05.123000Z\tinfo\tIstiod CA has started\n' +
      '2022-11-16T20:35:05.123000Z\twarn\tserverca\tbad 2022 error fake\tpeer=1.2.3.4:5\n',
  );
});
