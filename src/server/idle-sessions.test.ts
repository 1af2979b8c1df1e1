import type { Http2Session } from 'node:http2';
import { beforeEach, describe, expect, test } from 'vitest';
import { IdleSessions } from './idle-sessions.ts';

describe('more connections than are kept', () => {
  const closed: string[] = [];
  beforeEach(() => closed.splice(0));
  const session = (name: string) => ({ close: () => void closed.push(name) }) as unknown as Http2Session;
  const called = (sessions: IdleSessions, name: string) => {
    const one = session(name);
    sessions.add(one);
    sessions.begin(one);
    return one;
  };

  test('cost the one that has been idle for longest its place, and never one with a call', () => {
    const sessions = new IdleSessions(2);
    const [busy, idle] = [called(sessions, 'busy'), called(sessions, 'idle')];
    sessions.end(idle);
    expect(closed).toEqual([]);
    const third = called(sessions, 'third');
    expect(closed).toEqual(['idle']);
    sessions.end(busy);
    sessions.end(third);
    sessions.add(session('fourth'));
    expect(closed).toEqual(['idle', 'busy']);
  });

  test('one that has just come stays until it had its call, or had time for one', () => {
    const sessions = new IdleSessions(1);
    const [quiet, eager] = [session('quiet'), session('eager')];
    sessions.add(quiet);
    sessions.add(eager);
    expect(closed).toEqual([]);
    sessions.begin(eager);
    sessions.end(eager); // makes room by itself
    expect(closed).toEqual(['eager']);
    sessions.settle(quiet);
    sessions.add(session('late'));
    expect(closed).toEqual(['eager', 'quiet']);
  });

  test('one that is gone is not told goodbye', () => {
    const sessions = new IdleSessions(1);
    const gone = called(sessions, 'gone');
    sessions.remove(gone);
    sessions.end(gone);
    called(sessions, 'next');
    expect(closed).toEqual([]);
    expect([...sessions]).toHaveLength(1);
  });
});
