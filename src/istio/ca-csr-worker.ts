import { parentPort } from 'node:worker_threads';
import { type CsrBatch, type CsrVerdict, judgeOrder } from './ca-csr-order.ts';

/** The other end of `CsrDesk`: a thread that only judges requests. It holds no key and no token, and opens nothing. */
parentPort?.on('message', ({ policy, orders }: CsrBatch) => {
  const verdicts: readonly CsrVerdict[] = orders.map((order) => judgeOrder(order, policy));
  parentPort?.postMessage(verdicts);
});
