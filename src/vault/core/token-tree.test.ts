import fc from 'fast-check';
import { expect, test } from 'vitest';
import { silentLogger } from '../../lib/log.ts';
import { call, openTestStore, TestClock, tokenOf } from '../test-core.ts';
import { expireDue } from './expire.ts';
import type { VaultCore } from './vault-core.ts';

/** What a token should be like. */
interface Modelled {
  readonly token: string;
  readonly isBatch: boolean;
  parent: Modelled | undefined;
  expires: number;
  /** Undefined: without a bound. */
  uses: number | undefined;
  isRevoked: boolean;
}

type Step =
  | { readonly do: 'create'; readonly of: number; readonly kind: 'child' | 'orphan' | 'batch' | 'counted' }
  | { readonly do: 'revoke' | 'revoke-orphan' | 'use' | 'use-thrice-at-once'; readonly of: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'restart' };

const of = fc.nat(30);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      of,
      kind: fc.constantFrom('child', 'child', 'orphan', 'batch', 'counted'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('revoke', 'revoke-orphan', 'use', 'use-thrice-at-once'), of }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 60 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);

/** The store beside a model of it that has no store. */
class Pair {
  readonly clock = new TestClock();
  readonly tokens: Modelled[] = [];
  readonly #restart: () => Promise<VaultCore>;
  core: VaultCore;

  private constructor(core: VaultCore, restart: () => Promise<VaultCore>, clock: TestClock) {
    this.core = core;
    this.#restart = restart;
    this.clock = clock;
  }

  static async open(): Promise<Pair> {
    const clock = new TestClock();
    const { core, restart } = await openTestStore({ clock });
    return new Pair(core, restart, clock);
  }

  isAlive(one: Modelled): boolean {
    const isOver = one.isRevoked || one.uses === 0 || one.expires <= this.clock.time;
    return !isOver && (one.parent === undefined || this.isAlive(one.parent));
  }

  async run(one: Step): Promise<void> {
    if (one.do === 'wait') this.clock.time += one.seconds * 1000;
    else if (one.do === 'restart') await this.restart();
    else if (one.do === 'create')
      await this.create(this.tokens[one.of % (this.tokens.length || 1)], one.kind);
    else {
      const target = this.tokens[one.of % (this.tokens.length || 1)];
      if (target !== undefined) await this.act(target, one.do);
    }
    await this.settle();
  }

  async restart(): Promise<void> {
    await this.core.close();
    this.core = await this.#restart();
  }

  async create(parent: Modelled | undefined, kind: 'child' | 'orphan' | 'batch' | 'counted'): Promise<void> {
    const by = parent !== undefined && this.isAlive(parent) && !parent.isBatch && parent.uses === undefined;
    const fields = {
      policies: ['root'],
      ttl: '100s',
      ...(kind === 'orphan' ? { no_parent: true } : {}),
      ...(kind === 'batch' ? { type: 'batch', policies: ['default'] } : {}),
      ...(kind === 'counted' ? { num_uses: 2 } : {}),
    };
    const reply = await call(this.core, 'update', 'auth/token/create', fields, by ? parent.token : 'root');
    this.tokens.push({
      token: tokenOf(reply),
      isBatch: kind === 'batch',
      parent: by && kind !== 'orphan' ? parent : undefined,
      expires: this.clock.time + 100_000,
      uses: kind === 'counted' ? 2 : undefined,
      isRevoked: false,
    });
  }

  async act(
    target: Modelled,
    what: 'revoke' | 'revoke-orphan' | 'use' | 'use-thrice-at-once',
  ): Promise<void> {
    const wasAlive = this.isAlive(target);
    if (what === 'use' || what === 'use-thrice-at-once') {
      const times = what === 'use' ? 1 : 3;
      const replies = await Promise.all(
        Array.from({ length: times }, () =>
          call(this.core, 'read', 'auth/token/lookup-self', {}, target.token),
        ),
      );
      const served = replies.filter(({ status }) => status === 200).length;
      expect(served).toBe(wasAlive ? Math.min(times, target.uses ?? times) : 0);
      if (target.uses !== undefined) target.uses -= served;
      return;
    }
    await call(this.core, 'update', `auth/token/${what}`, { token: target.token });
    if (target.isBatch || !wasAlive) return;
    if (what === 'revoke-orphan') {
      for (const child of this.tokens) {
        // A batch token holds its parent's name in itself: nobody can take it out.
        if (child.parent === target && !child.isBatch) child.parent = undefined;
      }
    }
    target.isRevoked = true;
  }

  /** Lets the store end what is due. */
  async settle(): Promise<void> {
    const { services } = this.core;
    if (services === undefined) throw new Error('closed');
    while ((await expireDue(services, silentLogger)) > 0);
  }

  async compare(): Promise<void> {
    for (const one of this.tokens) {
      const reply = await call(this.core, 'update', 'auth/token/lookup', { token: one.token });
      expect(reply.status).toBe(this.isAlive(one) ? 200 : 403);
    }
    const stored = this.tokens.filter((one) => !one.isBatch && this.isAlive(one)).length;
    const { services } = this.core;
    const transaction = services?.storage.begin(false);
    expect(services?.leases.ids('auth/')).toHaveLength(stored);
    expect(transaction?.list('sys/token/id/')).toHaveLength(stored + 1); // and root
    expect(transaction?.list('sys/token/accessor/')).toHaveLength(stored + 1);
    expect(transaction?.all('sys/expire/at/')).toHaveLength(stored);
  }
}

test('any life of tokens leaves what a small model of it leaves, also over restarts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const pair = await Pair.open();
      for (const one of steps) await pair.run(one);
      await pair.compare();
      await pair.core.close();
    }),
    { numRuns: 60 },
  );
});

test('tokens say when they were made; an accessor of an older store is found and goes with its token', async () => {
  const { core } = await openTestStore();
  const made = await call(core, 'update', 'auth/token/create', { ttl: '1h' });
  const { client_token: token = '', accessor = '' } =
    (made.body as { auth?: Record<string, string> }).auth ?? {};
  expect([token.slice(4, 9), accessor.length]).toEqual([accessor.slice(0, 5), 24]);
  const storage = core.services?.storage;
  const named = (): string[] => storage?.begin(false).all('sys/token/accessor/') ?? [];
  const change = storage?.begin(false);
  const key = core.services?.tokens.keyOf(token);
  const dated = named().find((name) => change?.get(`sys/token/accessor/${name}`) === key) ?? '';
  change?.put(`sys/token/accessor/${dated.slice(5)}`, change.get(`sys/token/accessor/${dated}`));
  change?.delete(`sys/token/accessor/${dated}`);
  await change?.commit();
  const found = await call(core, 'update', 'auth/token/lookup-accessor', { accessor });
  expect(found.status).toBe(200);
  await call(core, 'update', 'auth/token/revoke-accessor', { accessor });
  expect(named()).not.toContain(dated.slice(5));
  await core.close();
});
