import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * How the way to a server behaves: `through`; `hang`: connections are taken, nothing is said; `slow`: what the server says
 * comes so many ms late; `cut`: the connection breaks in the middle of an answer; `down`: nobody listens.
 */
export type Mood = 'through' | 'hang' | 'cut' | 'down' | { readonly slow: number };

/** A TCP proxy before `target` whose mood can change at any time, for open connections too. */
export async function moodyProxy(target: string) {
  const { hostname, port } = new URL(target);
  let mood: Mood = 'through';
  const refusals = new EventEmitter();
  const open = new Set<Socket>();
  const server = createServer((near) => {
    if (mood === 'down') {
      refusals.emit('refused');
      return void near.resetAndDestroy();
    }
    const far = connect(Number(port), hostname);
    for (const one of [near, far]) {
      open.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        open.delete(one);
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (part) => {
      if (mood !== 'hang') far.write(part);
    });
    far.on('data', async (part) => {
      if (mood === 'hang') return;
      if (mood === 'cut') return void near.write(part.subarray(0, part.length >> 1), () => near.destroy());
      if (typeof mood === 'object') await delay(mood.slow, undefined, { ref: false });
      if (!near.destroyed) near.write(part);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = () => {
    for (const one of open) one.destroy();
  };
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Resolves when somebody comes while it is down. */
    refused: () => once(refusals, 'refused'),
    turn: (next: Mood) => {
      mood = next;
      if (next === 'down') drop();
    },
    close: async () => {
      drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
