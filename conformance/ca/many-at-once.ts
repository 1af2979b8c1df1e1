import { setTimeout as delay } from 'node:timers/promises';
import { CertificateCallError, type CertificateQuestion } from '../../src/istio/workload-request.ts';
import type { CaTarget } from './target.ts';

const connections = 8;
const patience = 120_000;
/** Exhausted, unavailable: agents come back after these. */
const comeBack = new Set([8, 14]);

/**
 * `count` requests at once, as of a node that starts; who is told to come back does, after a pause that doubles.
 * @returns the chains, one for each
 */
export async function manyAtOnce(
  target: Pick<CaTarget, 'connect'>,
  call: Partial<CertificateQuestion> & { csr: string },
  count: number,
): Promise<(readonly string[])[]> {
  const open = Array.from({ length: connections }, () => target.connect());
  const end = performance.now() + patience;
  const obtain = async (i: number): Promise<readonly string[]> => {
    for (let pause = 100; ; pause = Math.min(pause * 2, 1600)) {
      try {
        return await (open[i % connections] ?? target.connect()).ask({ ...call, timeout: patience });
      } catch (error) {
        const again = error instanceof CertificateCallError && comeBack.has(error.grpcCode);
        if (!again || performance.now() > end) throw error;
        await delay(pause * (0.9 + 0.2 * Math.random()));
      }
    }
  };
  try {
    return await Promise.all(Array.from({ length: count }, (_, i) => obtain(i)));
  } finally {
    for (const one of open) one.close();
  }
}
