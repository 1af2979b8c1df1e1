import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Backoff, kubeletBackoff } from './backoff.ts';
import { expand } from './expand.ts';
import { findImage, imageTable, writeTools } from './images.ts';

const table = imageTable({}, ['/bin/echo', "it's"]);
const run = promisify(execFile);

test.each([
  ['hashicorp/vault:1.18', 'vault'],
  ['docker.io/hashicorp/vault', 'vault'],
  ['localhost:5000/openbao/openbao@sha256:abc', 'vault'],
  ['hashicorp/vault-k8s:1.7.6', 'vault-k8s'],
  ['docker.io/istio/pilot:1.28.1', 'pilot-discovery'],
  ['meshroot/workload:dev', 'workload'],
])('the image %s runs %s', (image, entrypoint) => {
  expect(findImage(table, image)?.entrypoint).toEqual([entrypoint]);
});

test.each(['nginx', 'evilhashicorp/vault', 'hashicorp/vault-x'])('the image %s is unknown', (image) => {
  expect(findImage(table, image)).toBeUndefined();
});

test('the vault command is the agent for `agent` and the store for everything else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tools-'));
  const program = findImage(table, 'hashicorp/vault');
  if (program === undefined) throw new Error('no image');
  await writeTools(folder, program);
  const output = async (...args: string[]) => (await run(join(folder, 'vault'), args)).stdout.trim();
  expect(await output('agent', '-config=/a b')).toBe("it's agent -config=/a b");
  expect(await output('server', '-dev')).toBe("it's vault server -dev");
});

test('a real binary takes the place of ours', () => {
  expect(imageTable({ agent: '/opt/bao' })[0]?.tools.vault).toEqual({ argv: ['/opt/bao'] });
});

test('$(NAME) is replaced, $$ escapes, unknown names and open parentheses stay', () => {
  const values = new Map([['A', '$(B)']]);
  expect(expand('$(A) $(C) $$(A) $A $(A', values)).toBe('$(B) $(C) $(A) $A $(A');
});

test('the first restart is at once, then 10 s doubling to five minutes, and a long run forgives', () => {
  const backoff = new Backoff(kubeletBackoff);
  expect([0, 0, 0, 0, 0, 0, 0].map((ran) => backoff.next(ran) / 1000)).toEqual([0, 10, 20, 40, 80, 160, 300]);
  expect(backoff.next(600_000)).toBe(0);
});

test('the real injector gets mounts of its own, ours does not', () => {
  const mountNamespace = ['unshare', '--mount'];
  const real = imageTable({ injector: '/usr/bin/vault-k8s', mountNamespace });
  expect(findImage(real, 'hashicorp/vault-k8s:1.7.6')?.mountNamespace).toEqual(mountNamespace);
  expect(findImage(imageTable({ mountNamespace }), 'hashicorp/vault-k8s')?.mountNamespace).toBeUndefined();
});
