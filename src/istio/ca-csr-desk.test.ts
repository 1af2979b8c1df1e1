import { afterEach, describe, expect, test, vi } from 'vitest';
import { silentLogger } from '../lib/log.ts';
import { CsrDesk } from './ca-csr-desk.ts';
import { csrOf, judgeOrder } from './ca-csr-order.ts';
import { type CsrPolicy, readCsr } from './ca-csr-rules.ts';
import { testCsr } from './test-mesh.ts';

const policy: CsrPolicy = { mode: 'strict', minRsaBits: 2048 };
const shop = 'spiffe://cluster.local/ns/demo/sa/shop';

/** A thread that runs `code`, with `parentPort` at hand. */
const thread = (code: string) =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads';${code}`)}`,
  );

describe('a request that is judged by another thread', () => {
  let desk: CsrDesk | undefined;
  afterEach(async () => desk?.close());

  test('comes back as it is read here, its key too', async () => {
    const { csr } = await testCsr({ subject: [{ type: 'O', value: '' }] });
    const read = csrOf(structuredClone(judgeOrder([csr, [shop]], policy)), csr);
    const { der, publicKeyDer, subject, publicKey } = await readCsr(csr, [shop], policy);
    expect([read.der, read.publicKeyDer, read.subject]).toEqual([der, publicKeyDer, subject]);
    expect(read.publicKey.equals(publicKey)).toBe(true);
  });

  test.each([
    ['no request at all', 'x', shop],
    ['another identity', '', 'spiffe://cluster.local/ns/demo/sa/cart'],
  ])('%s is refused in the same words', async (_, text, uri) => {
    const asked = text || (await testCsr()).csr;
    const here = await readCsr(asked, [uri], policy).catch((error: unknown) => error);
    const { code, message, reason } = here as Record<string, unknown>;
    const there = structuredClone(judgeOrder([asked, [uri]], policy));
    expect(() => csrOf(there, asked)).toThrow(expect.objectContaining({ code, message, reason }));
  });

  test('requests go over together, and each gets its own verdict', async () => {
    const answer = `parentPort.on('message', ({ orders }) => parentPort.postMessage(orders.map(([text]) =>
      [text + orders.length, []])));`;
    desk = CsrDesk.open(silentLogger, thread(answer));
    const read = await Promise.all(['a', 'b', 'c'].map((text) => desk?.read(text, [], policy)));
    expect(read.map((one) => one?.publicKeyDer.toString())).toEqual(['a3', 'b3', 'c3']);
  });

  test('what is judged by other rules goes over by itself', async () => {
    const answer = `parentPort.on('message', ({ policy, orders }) => parentPort.postMessage(orders.map(() =>
      [policy.mode + orders.length, []])));`;
    desk = CsrDesk.open(silentLogger, thread(answer));
    const compat: CsrPolicy = { mode: 'compat', minRsaBits: 2048 };
    const read = await Promise.all([policy, policy, compat].map((one) => desk?.read('x', [], one)));
    expect(read.map((one) => one?.publicKeyDer.toString())).toEqual(['strict2', 'strict2', 'compat1']);
  });

  test('more than two batches wait here until there is room', async () => {
    const answer = `parentPort.on('message', ({ orders }) => parentPort.postMessage(orders.map(() =>
      [String(orders.length), []])));`;
    desk = CsrDesk.open(silentLogger, thread(answer));
    const read = await Promise.all(Array.from({ length: 200 }, () => desk?.read('x', [], policy)));
    const sizes = read.map((one) => Number(one?.publicKeyDer.toString()));
    expect(Math.max(...sizes)).toBe(32);
    expect(read).toHaveLength(200);
  });

  test('a thread that dies takes nobody along: what it had is judged here, and what comes after', async () => {
    const error = vi.fn();
    desk = CsrDesk.open(
      { ...silentLogger, error },
      thread(`parentPort.on('message', () => process.exit(3));`),
    );
    const { csr } = await testCsr();
    const first = await desk?.read(csr, [shop], policy);
    expect(first?.publicKeyDer).toEqual((await readCsr(csr, [shop], policy)).publicKeyDer);
    await expect(desk?.read('x', [shop], policy)).rejects.toMatchObject({ code: 'bad-csr' });
    expect(error).toHaveBeenCalledTimes(1);
  });
});
