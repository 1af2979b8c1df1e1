import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { MeshrootError } from '../lib/errors.ts';
import { connect } from './connect.ts';
import { parseKubeconfig, readKubeconfig } from './kubeconfig.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
});

const yaml = (name: string) => `
apiVersion: v1
kind: Config
current-context: ${name}
clusters: [{name: same, cluster: {server: "https://${name}:6443", certificate-authority: ca.crt}}]
users: [{name: same, user: {token: t-${name}}}]
contexts: [{name: ${name}, context: {cluster: same, user: same, namespace: ns-${name}}}]
`;

async function write(name: string, text: string): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, text);
  return path;
}

test('of several files the first entry of a name and the first current-context count', async () => {
  const [a, b] = [await write('a', yaml('a')), await write('b', yaml('b'))];
  const chosen = await readKubeconfig([join(dir, 'absent'), a, b]);
  expect(chosen).toMatchObject({ name: 'a', namespace: 'ns-a' });
  const other = await readKubeconfig([a, b], 'b');
  expect(other.cluster.server).toBe('https://a:6443');
  expect(other.cluster['certificate-authority']).toBe(join(dir, 'ca.crt'));
});

test('of one cache a file is parsed once, and anew when it changed', async () => {
  const a = await write('a', yaml('a'));
  const cache = new Map();
  await readKubeconfig([a], 'a', cache);
  const first = await cache.get(a)?.file;
  await readKubeconfig([a], 'a', cache);
  expect(await cache.get(a)?.file).toBe(first);
  await write('a', yaml('longer'));
  expect((await readKubeconfig([a], undefined, cache)).name).toBe('longer');
});

test('an unknown context lists the known ones', async () => {
  const a = await write('a', yaml('a'));
  await expect(readKubeconfig([a], 'z')).rejects.toMatchObject({
    code: 'unknown-context',
    message: `${a} has no context "z"`,
    hint: 'known: a',
  });
});

test('a missing file and no configuration at all are told apart', async () => {
  await expect(connect({ kubeconfig: join(dir, 'no'), env: {} })).rejects.toMatchObject({
    code: 'kubeconfig-missing',
  });
  await expect(connect({ env: {} })).rejects.toMatchObject({ code: 'no-cluster' });
});

test('$KUBECONFIG is found, and in a pod the service account', async () => {
  const a = await write('a', yaml('a').replace(', certificate-authority: ca.crt', ''));
  const api = await connect({ env: { KUBECONFIG: a } });
  expect([api.server, api.namespace]).toEqual(['https://a:6443', 'ns-a']);
  await Promise.all([write('token', 't'), write('ca.crt', ''), write('namespace', 'prod\n')]);
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
  const pod = await connect({ env, serviceAccountDir: dir });
  expect([pod.server, pod.namespace]).toEqual(['https://[fd00::1]:443', 'prod']);
});

test('a syntax error never quotes the file', async () => {
  const failure = parseKubeconfig('users: [{name: x, user: {token: "s3cret}', 'f');
  await expect(failure).rejects.toMatchObject({ code: 'bad-kubeconfig' });
  await expect(failure).rejects.not.toThrow(/s3cret/);
  await expect(parseKubeconfig('{"clusters": 5}', 'f')).rejects.toMatchObject({
    code: 'bad-kubeconfig',
    message: expect.stringContaining('f is not a kubeconfig: clusters'),
  });
});

test('any text is a kubeconfig or a MeshrootError', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
      await parseKubeconfig(text, 'f').catch((error) => expect(error).toBeInstanceOf(MeshrootError));
    }),
  );
});
