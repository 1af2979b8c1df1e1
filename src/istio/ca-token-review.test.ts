import { describe, expect, test, vi } from 'vitest';
import type { Clock } from '../lib/clock.ts';
import { boundedReview, type TokenVerdict } from './ca-token-review.ts';

const yes: TokenVerdict = {
  authenticated: true,
  username: 'system:serviceaccount:a:b',
  groups: ['system:serviceaccounts'],
};
const no: TokenVerdict = { authenticated: false, username: '', groups: [], error: 'expired' };

/** A clock moved by hand; sleeps end when it is moved past them. */
function handClock() {
  let now = 1_000_000;
  const waiting: { at: number; wake: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        waiting.push({ at: now + ms, wake: resolve });
        signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      }),
  };
  const move = (ms: number) => {
    now += ms;
    for (const { at, wake } of waiting) if (at <= now) wake();
  };
  return { clock, move };
}

function counting(answer: (token: string) => Promise<TokenVerdict>) {
  const asked: string[] = [];
  const review = (token: string) => {
    asked.push(token);
    return answer(token);
  };
  return { asked, review };
}

describe('reviews of tokens', () => {
  test('the same token is asked about once within five seconds, and again after', async () => {
    const { clock, move } = handClock();
    const { asked, review } = counting(async () => yes);
    const bounded = boundedReview(review, { clock });
    await Promise.all([bounded('t', ['x']), bounded('t', ['x'])]);
    expect(asked).toEqual(['t']);
    move(4999);
    await bounded('t', ['x']);
    expect(asked).toHaveLength(1);
    move(1);
    await bounded('t', ['x']);
    expect(asked).toHaveLength(2);
  });

  test('a refusal is not remembered', async () => {
    const { clock } = handClock();
    const { asked, review } = counting(async () => no);
    const bounded = boundedReview(review, { clock });
    expect(await bounded('t', [])).toEqual(no);
    await bounded('t', []);
    expect(asked).toHaveLength(2);
  });

  test('no answer within the deadline is code 14, which agents retry', async () => {
    const { clock, move } = handClock();
    const bounded = boundedReview(() => new Promise(() => {}), { clock });
    const answer = bounded('t', []);
    move(5000);
    await expect(answer).rejects.toMatchObject({
      code: 'reviewer-unavailable',
      grpcCode: 14,
      reason: 'token review failed: no answer within 5000 ms',
    });
  });

  test('an API server that cannot be reached is code 14 too, and asked anew', async () => {
    const { clock } = handClock();
    let down = true;
    const bounded = boundedReview(
      async () => {
        if (down) throw new Error('connect ECONNREFUSED');
        return yes;
      },
      { clock },
    );
    await expect(bounded('t', [])).rejects.toMatchObject({ grpcCode: 14 });
    down = false;
    expect(await bounded('t', [])).toEqual(yes);
  });

  test('more than may be asked at a time wait; more than may wait are told to come back: code 8', async () => {
    const { clock } = handClock();
    const answers: ((verdict: TokenVerdict) => void)[] = [];
    const review = () => new Promise<TokenVerdict>((resolve) => answers.push(resolve));
    const bounded = boundedReview(review, { clock, parallel: 2, waiting: 1 });
    const asked = ['a', 'b', 'c'].map((token) => bounded(token, []));
    await expect(bounded('d', [])).rejects.toMatchObject({ code: 'overloaded', grpcCode: 8 });
    expect(answers).toHaveLength(2);
    for (let i = 0; i < 3; i++) {
      await vi.waitFor(() => expect(answers[i]).toBeDefined());
      answers[i]?.(yes);
    }
    expect(await Promise.all(asked)).toEqual([yes, yes, yes]);
  });

  test('who waits for its turn longer than a review may take is told to come back and not reviewed', async () => {
    const { clock, move } = handClock();
    const { asked, review } = counting(() => new Promise(() => {}));
    const bounded = boundedReview(review, { clock, parallel: 1 });
    const both = [bounded('a', []), bounded('b', [])].map((one) => one.catch((error: unknown) => error));
    await vi.waitFor(() => expect(asked).toEqual(['a']));
    move(5000);
    expect(await Promise.all(both)).toMatchObject([{ grpcCode: 14 }, { grpcCode: 8 }]);
    expect(asked).toEqual(['a']);
  });

  test('the memory is bounded', async () => {
    const { clock } = handClock();
    const { asked, review } = counting(async () => yes);
    const bounded = boundedReview(review, { clock, entries: 2 });
    for (const token of ['a', 'b', 'c', 'a']) await bounded(token, []);
    expect(asked).toEqual(['a', 'b', 'c', 'a']);
  });
});
