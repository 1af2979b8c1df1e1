import { describe, expect, test } from 'vitest';
import { VaultClient } from '../client/vault-client.ts';
import { VaultError } from '../client/vault-error.ts';
import { systemClock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import { apply } from './apply.ts';
import { destroy, planDestroy } from './destroy.ts';
import { makePlan } from './plan.ts';
import { keep, type Reach, type Resource } from './resource.ts';

const reach: Reach = {
  vault: new VaultClient({ address: 'http://127.0.0.1:1' }),
  kube: () => Promise.reject(new Error('not asked')),
  clock: systemClock,
};

/** A resource that is written once; `fails` as long as it is told to. */
function thing(group: string, label: string, log: string[], fails?: string): Resource {
  let there = false;
  return {
    group,
    label,
    summary: '',
    observe: async () => there,
    decide: (found) => (found ? keep : { kind: 'add', lines: [] }),
    write: async () => {
      if (fails !== undefined) throw new MeshrootError('broken', fails);
      log.push(`${group} ${label}`);
      there = true;
    },
    undo: {
      exists: (found) => found === true,
      made: () => label !== 'foreign',
      remove: async () => {
        log.push(`-${group} ${label}`);
        there = false;
        return undefined;
      },
    },
  };
}

const options = { adopt: false, progress: { done: () => {} } };

describe('apply', () => {
  test('brings the other clusters to their end and names each that failed', async () => {
    const log: string[] = [];
    const resources = [
      thing('mesh', 'root', log),
      thing('a', '1', log, 'no route'),
      thing('a', '2', log),
      thing('b', '1', log),
      thing('c', '1', log, 'forbidden'),
    ];
    await expect(apply(resources, reach, { ...options, concurrency: 1 })).rejects.toMatchObject({
      code: 'clusters-failed',
      message: '2 of 3 clusters failed:\n  a: no route\n  c: forbidden',
    });
    expect(log).toEqual(['mesh root', 'b 1']);
  });

  test('of one failed cluster tells its own error', async () => {
    const resources = [thing('a', '1', [], 'no route'), thing('b', '1', [])];
    await expect(apply(resources, reach, options)).rejects.toMatchObject({
      code: 'broken',
      message: 'no route',
    });
  });
});

describe('a plan', () => {
  test('goes on when one cluster cannot be looked at, and says why', async () => {
    const blind: Resource = {
      ...thing('a', '1', []),
      observe: () => Promise.reject(new MeshrootError('unknown-context', 'no context "x"')),
    };
    const plan = await makePlan([blind, thing('b', '1', [])], reach, { now: 0, adopt: false });
    expect(plan.items.map(({ decision }) => decision)).toEqual([
      { kind: 'unseen', why: 'no context "x"' },
      { kind: 'add', lines: [] },
    ]);
  });
});

describe('a plan over several Vaults', () => {
  const away = new VaultError({ method: 'GET', path: 'sys/mounts', message: 'no answer from the vault' });
  const gone: Resource = { ...thing('a', '1', []), observe: () => Promise.reject(away) };
  const resources = [thing('mesh', 'root', []), gone, thing('b', '1', [])];
  const context = { now: 0, adopt: false };

  test('goes on without the clusters of a Vault that is away', async () => {
    const other = new VaultClient({ address: 'http://127.0.0.1:2' });
    const vaultOf = (cluster: string) => (cluster === 'a' ? other : reach.vault);
    const looked: string[] = [];
    const plan = await makePlan(resources, { ...reach, vaultOf }, context, {
      concurrency: 1,
      looked: (group) => looked.push(group),
    });
    expect(plan.items.map(({ decision }) => decision.kind)).toEqual(['add', 'unseen', 'add']);
    expect(plan.items[1]?.decision).toMatchObject({ why: 'no answer from the vault' });
    expect(looked).toEqual(['mesh', 'a', 'b']);
  });

  test('is none without the Vault that all share', async () => {
    await expect(makePlan(resources, reach, context)).rejects.toBe(away);
  });

  test('is given up when it is stopped', async () => {
    const signal = AbortSignal.abort(new MeshrootError('interrupted', 'stopped by SIGINT'));
    await expect(makePlan(resources, reach, context, { signal })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });
});

describe('destroy', () => {
  test('takes away backwards what meshroot made, shared things last, and leaves the rest', async () => {
    const log: string[] = [];
    const resources = [
      thing('mesh', 'root', log),
      thing('a', '1', log),
      thing('a', 'foreign', log),
      thing('a', '2', log),
    ];
    await apply(resources, reach, options);
    log.length = 0;
    const removals = await planDestroy(resources, reach);
    await destroy(removals, reach, { removed: () => {} });
    expect(log).toEqual(['-a 2', '-a 1', '-mesh root']);
    expect(removals.find(({ resource }) => resource.label === 'foreign')?.stays).toBe('not made by meshroot');
  });
});
