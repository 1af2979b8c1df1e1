import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands before an API server and cuts off every n-th connection as soon as something comes through it. */
export async function flappingProxy(target: string, every: number) {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let count = 0;
  let cut = 0;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    const flaps = count++ % every === 0;
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => {}).once('close', () => open.delete(socket));
    }
    far.once('close', () => near.destroy());
    near.once('close', () => far.destroy());
    far.pipe(near);
    near.pipe(far);
    if (!flaps) return;
    near.once('data', () => {
      cut++;
      near.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cuts: () => cut,
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
