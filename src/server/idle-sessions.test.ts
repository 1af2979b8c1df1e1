import type { Http2Session } from 'node:http2';
import { describe, expect, test } from 'vitest';
import { IdleSessions } from './idle-sessions.ts';

const closed: string[] = [];
const session = (name: string) => ({ close: () => void closed.push(name) }) as unknown as Http2Session;

describe('more connections than are kept', () => {
  test('cost the one that has been idle for longest its place, and never one with a call', () => {
    closed.length = 0;
    const sessions = new IdleSessions(2);
    const [busy, idle, third, fourth] = ['busy', 'idle', 'third', 'fourth'].map(session);
    if (!busy || !idle || !third || !fourth) throw new Error('no sessions');
    sessions.add(busy);
    sessions.begin(busy);
    sessions.add(idle);
    expect(closed).toEqual([]);
    sessions.add(third);
    expect(closed).toEqual(['idle']);
    sessions.end(busy); // it did something last
    sessions.add(fourth);
    expect(closed).toEqual(['idle', 'third']);
    expect([...sessions]).toEqual([busy, fourth]);
  });

  test('a new one stays, even where all the others are busy', () => {
    closed.length = 0;
    const sessions = new IdleSessions(1);
    const [busy, late] = [session('busy'), session('late')];
    sessions.add(busy);
    sessions.begin(busy);
    sessions.add(late);
    expect(closed).toEqual([]);
    sessions.remove(busy);
    expect([...sessions]).toEqual([late]);
  });
});
