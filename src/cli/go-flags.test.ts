import { describe, expect, test } from 'vitest';
import { fromGoFlags } from './go-flags.ts';

describe('Go-style flags', () => {
  test('a single dash before a long word becomes two', () => {
    expect(fromGoFlags(['server', '-dev', '-dev-listen-address=127.0.0.1:0'])).toEqual([
      'server',
      '--dev',
      '--dev-listen-address=127.0.0.1:0',
    ]);
  });

  test('short flags, long flags, values and what follows -- stay as they are', () => {
    const same = ['-f', 'mesh.yaml', '--json', '-', '-1h', '--', '-dev'];
    expect(fromGoFlags(same)).toEqual(same);
  });
});
