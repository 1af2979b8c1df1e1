import type { ChildProcess } from 'node:child_process';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** Reads in the shape of writes, and what comes and goes in every run: the lock, and the question whether Vault reaches a cluster. */
const passing = /\/login$|revoke-self$|capabilities-self$|\/lock\/apply$|meshroot-probe/;

/** Stands before a Vault; lets the n-th write through and then kills the writer, who never sees the answer. */
export async function killingProxy(target: string) {
  let victim: ChildProcess | undefined;
  let left = 0;
  const { hostname, port } = new URL(target);
  const server = createServer(async (incoming, outgoing) => {
    const body = await buffer(incoming);
    const { method, url: path = '', headers } = incoming;
    const kills = method !== 'GET' && !passing.test(path);
    const forward = request({ hostname, port, path, method, headers, agent: false }, async (answer) => {
      const text = await buffer(answer);
      if (kills && victim !== undefined && --left === 0) {
        victim.kill('SIGKILL');
        return outgoing.destroy();
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(text);
    });
    forward.on('error', () => outgoing.destroy());
    forward.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Whom the n-th write from now on kills. */
    aim: (child: ChildProcess, n: number) => {
      victim = child;
      left = n;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
