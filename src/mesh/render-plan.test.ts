import { describe, expect, test } from 'vitest';
import { MeshrootError } from '../lib/errors.ts';
import type { Plan, PlannedResource } from './plan.ts';
import { planToJson, renderPlan } from './render-plan.ts';
import type { Decision, Resource } from './resource.ts';

const item = (group: string, label: string, decision: Decision, summary = ''): PlannedResource => ({
  resource: { group, label, summary } as Resource,
  observed: undefined,
  decision,
});

const plan: Plan = {
  changes: true,
  items: [
    item('mesh', 'root meshroot-root', { kind: 'keep' }),
    item('prod-eu', 'auth/kubernetes-prod-eu', { kind: 'add', lines: [] }, 'kubernetes'),
    item('prod-eu', 'policy istiod-certs-prod-eu', { kind: 'change', lines: ['- path "a"', '+ path "b"'] }),
    item('prod-eu', 'intermediate', { kind: 'keep', warning: 'intermediate expires 2026-12-14 (22d)' }),
    item('prod-us', 'role istiod', { kind: 'unseen', why: 'permission denied' }),
    item('prod-us', 'serviceaccount istio-system/istiod', {
      kind: 'refuse',
      error: new MeshrootError('not-ours', 'it is not ours', { hint: 'take it over' }),
    }),
  ],
};

describe('a plan', () => {
  test('reads like a difference, says what it could not see, and how to go on', () => {
    const text = renderPlan(plan, { vault: 'https://vault.example:8200', file: 'mesh.yaml' });
    expect(text.split('\n')).toEqual([
      'cluster prod-eu                                       vault https://vault.example:8200',
      '  + auth/kubernetes-prod-eu                            kubernetes',
      '  ~ policy istiod-certs-prod-eu',
      '      - path "a"',
      '      + path "b"',
      '  ! intermediate expires 2026-12-14 (22d)',
      'cluster prod-us                                       vault https://vault.example:8200',
      '  ? role istiod                                        permission denied',
      '  x it is not ours',
      '      take it over',
      '1 to add, 1 to change, 0 to remove. 1 warning. 1 refused. 1 not seen. nothing was written' +
        '        apply with: meshroot apply -f mesh.yaml',
      '',
    ]);
  });

  test('names the Vault of each cluster', () => {
    const vaultOf = (name: string) => (name === 'prod-us' ? 'https://us.example' : undefined);
    const text = renderPlan(plan, { vault: 'https://vault.example', vaultOf, file: 'mesh.yaml' });
    expect(text.match(/^cluster .*/gm)).toEqual([
      expect.stringMatching(/^cluster prod-eu +vault https:\/\/vault\.example$/),
      expect.stringMatching(/^cluster prod-us +vault https:\/\/us\.example$/),
    ]);
  });

  test('without a difference says so in one line', () => {
    const empty = { changes: false, items: plan.items.slice(0, 1) };
    expect(renderPlan(empty, { vault: 'v', file: 'f' })).toBe('nothing to change. nothing was written\n');
  });

  test('as JSON has the same facts under stable names', () => {
    expect(JSON.parse(JSON.stringify(planToJson(plan)))).toMatchObject({
      changes: true,
      items: [
        { action: 'keep' },
        { action: 'add' },
        { action: 'change', lines: ['- path "a"', '+ path "b"'] },
        {},
        {},
        { error: { code: 'not-ours' } },
      ],
    });
  });
});
