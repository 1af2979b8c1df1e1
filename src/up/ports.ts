import { createServer } from 'node:net';
import { codeOf, MeshrootError } from '../lib/errors.ts';

/**
 * Where any free port is looked for: below what systems hand out to outgoing connections (Linux from 32768, IANA from
 * 49152), so that none of the hundreds that the parts open among themselves takes a port before its listener does.
 */
const anywhere = { from: 16_000, to: 32_000 };

/** Hands out loopback ports: from a base upwards, or whatever is free. */
export class Ports {
  readonly #base: number;
  readonly #random: () => number;
  readonly #taken = new Set<number>();
  #next: number;

  /** @param base 0 = any free ports */
  constructor(base: number, random: () => number = Math.random) {
    this.#base = base;
    this.#random = random;
    this.#next = base;
  }

  /**
   * A port that is free now.
   * @throws MeshrootError `port-taken` when a port counted from the base is used by another program
   */
  async take(): Promise<number> {
    if (this.#base === 0) return this.#any();
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

  async #any(): Promise<number> {
    for (let attempt = 0; attempt < 1000; attempt++) {
      const port = anywhere.from + Math.floor(this.#random() * (anywhere.to - anywhere.from));
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      const free = await probe(port).catch(() => undefined);
      if (free !== undefined) return free;
    }
    return probe(0);
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
