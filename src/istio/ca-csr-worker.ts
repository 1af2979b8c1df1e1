import { parentPort } from 'node:worker_threads';
import type { CsrOrder } from './ca-csr-order.ts';
import { type CsrVerdict, judgeOrder } from './ca-csr-order.ts';

/** The other end of `CsrDesk`: a thread that only judges requests. It holds no key and no token, and opens nothing. */
parentPort?.on('message', (orders: readonly CsrOrder[]) => {
  const verdicts: readonly CsrVerdict[] = orders.map(judgeOrder);
  parentPort?.postMessage(verdicts);
});
