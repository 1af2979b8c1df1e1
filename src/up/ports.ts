import { createServer } from 'node:net';
import { codeOf, MeshrootError } from '../lib/errors.ts';

/** Hands out loopback ports: from a base upwards, or whatever is free. */
export class Ports {
  readonly #base: number;
  #next: number;

  /** @param base 0 = any free ports */
  constructor(base: number) {
    this.#base = base;
    this.#next = base;
  }

  /**
   * A port that is free now.
   * @throws MeshrootError `port-taken` when a port counted from the base is used by another program
   */
  async take(): Promise<number> {
    if (this.#base === 0) return probe(0);
    const port = this.#next++;
    try {
      return await probe(port);
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE' && codeOf(error) !== 'EACCES') throw error;
      throw new MeshrootError('port-taken', `port ${port} is taken by another program`, {
        hint: `use other ports: --port-base ${this.#base + 1000}, or any free ones: --port-base 0`,
        cause: error,
      });
    }
  }
}

/** Listens for a moment to see that it can be done. */
function probe(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
}
