import { randomUUID } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { createCatalogue } from './catalogue.ts';
import { createMemoryPhysical } from './core/physical-memory.ts';
import type { Operation, Reply, VaultRequest } from './core/request.ts';
import type { Catalogue } from './core/services.ts';
import { VaultCore } from './core/vault-core.ts';
import type { VaultCoreOptions } from './core/vault-core-options.ts';

/** A clock that stands until it is told; its sleep is real but short, so that loops turn. */
export class TestClock implements Clock {
  time = 1_800_000_000_000;

  now(): number {
    return this.time;
  }

  async sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 5));
    signal?.throwIfAborted();
  }
}

/** An open store in memory with root token `root`. For tests. */
export async function openTestCore(options: Partial<VaultCoreOptions> = {}): Promise<VaultCore> {
  return (await openTestStore(options)).core;
}

export interface TestStore {
  readonly core: VaultCore;
  /** A new program on what the old one has written, open. Close the old one before. */
  restart(): Promise<VaultCore>;
}

/** As `openTestCore`, for tests in which the store is closed and opened again. */
export async function openTestStore(options: Partial<VaultCoreOptions> = {}): Promise<TestStore> {
  const all = { physical: createMemoryPhysical(), catalogue: testCatalogue(), ...options };
  const core = new VaultCore(all);
  const { shares } = await core.init({ shares: 1, threshold: 1 }, 'root');
  const open = async (closed: VaultCore): Promise<VaultCore> => {
    for (const share of shares) await closed.unseal(Buffer.from(share));
    return closed;
  };
  return { core: await open(core), restart: () => open(new VaultCore(all)) };
}

export const testCatalogue = (): Catalogue =>
  createCatalogue({
    review: async () => {
      throw new Error('no API server here');
    },
    readLocal: () => undefined,
  });

/** One call, as `root` unless told otherwise. */
export function call(
  core: VaultCore,
  operation: Operation,
  path: string,
  data: Readonly<Record<string, unknown>> = {},
  token: string | undefined = 'root',
): Promise<Reply> {
  return core.handle(request(operation, path, data, token));
}

export function request(
  operation: Operation,
  path: string,
  data: Readonly<Record<string, unknown>>,
  token: string | undefined,
): VaultRequest {
  return {
    id: randomUUID(),
    operation,
    path,
    token,
    data,
    wrapTtl: undefined,
    headers: {},
    remoteAddress: '127.0.0.1',
    remotePort: 1,
  };
}

/** The `auth.client_token` of an answer. */
export function tokenOf({ body }: Reply): string {
  return (body as { auth: { client_token: string } }).auth.client_token;
}
