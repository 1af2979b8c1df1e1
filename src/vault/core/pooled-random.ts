import { randomFillSync } from 'node:crypto';
import type { Random } from './barrier.ts';

const poolBytes = 4096;
/** Larger wishes are served by themselves. */
const mostBytes = 64;

/**
 * Random bytes of the system, drawn by the page: a call for twelve costs as much as one for thousands, and each sealed
 * entry wants twelve. What was handed out is wiped from the pool, and never handed out again.
 */
export function pooledRandom(): Random {
  const pool = Buffer.alloc(poolBytes);
  let at = poolBytes;
  return (bytes) => {
    if (bytes > mostBytes) return randomFillSync(Buffer.alloc(bytes));
    if (at + bytes > poolBytes) {
      randomFillSync(pool);
      at = 0;
    }
    const drawn = Buffer.from(pool.subarray(at, at + bytes));
    pool.fill(0, at, at + bytes);
    at += bytes;
    return drawn;
  };
}
