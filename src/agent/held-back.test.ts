import { expect, test } from 'vitest';
import { HeldBack } from './held-back.ts';
import type { JobGroup } from './template-job.ts';

const group = (wait?: { minMs: number; maxMs: number }): JobGroup =>
  ({ set: undefined, jobs: [{ contents: '', settings: { wait } }] }) as unknown as JobGroup;

test('a template with wait is rendered when it was quiet for min, and after max at the latest', () => {
  let now = 0;
  const held = new HeldBack({ now: () => now, sleep: async () => {} });
  const [plain, patient] = [group(), group({ minMs: 10, maxMs: 25 })];
  expect(held.toRender([plain, patient], true)).toEqual([plain]);
  expect(held.next()).toBe(10);
  now = 8;
  expect(held.toRender([plain, patient], true)).toEqual([plain]);
  expect(held.next()).toBe(18);
  now = 16;
  held.toRender([plain, patient], true);
  expect(held.next()).toBe(25);
  now = 25;
  expect(held.toRender([plain, patient], false)).toEqual([patient]);
  expect(held.next()).toBe(Number.POSITIVE_INFINITY);
});
