import { mkdtemp } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { generateKeyPair, privateKeyPem } from '../../x509/keys.ts';
import { issueClient } from '../../x509/templates/client.ts';
import { createRoot } from '../../x509/templates/root.ts';
import { issueServing } from '../../x509/templates/serving.ts';
import { ContainerLog } from './container-log.ts';
import { parseQuery, startLogServer } from './log-server.ts';

const start = Date.UTC(2026, 0, 1);
let now = start;
const clock = { now: () => now, sleep: async () => {} };
let log: ContainerLog;
let file: string;

beforeEach(async () => {
  now = start;
  file = join(await mkdtemp(join(tmpdir(), 'log-')), 'c', '0.log');
  log = new ContainerLog(file, clock, 200);
});
afterEach(() => log.end());

const read = (query: string): string => {
  let text = '';
  log.read(parseQuery(new URLSearchParams(query), now), (part) => {
    text += part ?? '<end>';
  });
  return text;
};
const write = (...lines: string[]): void => {
  for (const line of lines) log.append('stdout', Buffer.from(`${line}\n`));
};

test('lines come back as written, whole even when the bytes came in pieces', () => {
  const bytes = Buffer.from('one\ntwö\nthree');
  log.append('stdout', bytes.subarray(0, 6));
  log.append('stdout', bytes.subarray(6));
  expect(read('')).toBe('one\ntwö\n<end>');
  log.end();
  expect(read('')).toBe('one\ntwö\nthree\n<end>');
});

test('tailLines, sinceSeconds, limitBytes and timestamps choose and shape', () => {
  write('old');
  now += 60_000;
  write('new 1', 'new 2');
  expect(read('tailLines=1')).toBe('new 2\n<end>');
  expect(read('tailLines=0')).toBe('<end>');
  expect(read('sinceSeconds=10')).toBe('new 1\nnew 2\n<end>');
  expect(read('limitBytes=6')).toBe('old\nne<end>');
  expect(read('timestamps=true&tailLines=1')).toBe('2026-01-01T00:01:00.000Z new 2\n<end>');
});

test('a follower sees each line once and the end, across a turned-over file', () => {
  write('first');
  let text = '';
  log.read(parseQuery(new URLSearchParams('follow=true'), now), (part) => {
    text += part ?? '<end>';
  });
  for (let i = 0; i < 9; i++) write(`line ${i}`);
  log.end();
  expect(text).toBe(`first\n${Array.from({ length: 9 }, (_, i) => `line ${i}\n`).join('')}<end>`);
  expect(read('')).toMatch(/line 7\nline 8\n<end>$/);
});

test('the server answers clients of the cluster authority only', async () => {
  const ttl = 3_600_000;
  const time = Date.now();
  const keys = await Promise.all([1, 2, 3].map(() => generateKeyPair('ec-p256')));
  const [rootKey, serverKey, clientKey] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]];
  const root = await createRoot({ key: rootKey, ttl: ttl * 2, now: time });
  const issuer = { certificate: root, privateKey: rootKey.privateKey };
  const { publicKey } = serverKey;
  const serving = await issueServing({
    issuer,
    publicKey,
    dns: ['node1'],
    ips: ['127.0.0.1'],
    ttl,
    now: time,
  });
  const clientOf = (commonName: string) =>
    issueClient({ issuer, publicKey: clientKey.publicKey, commonName, ttl, now: time });
  write('hello');
  const server = await startLogServer({
    tls: { certificate: serving.pem, key: privateKeyPem(serverKey.privateKey), clientCa: root.pem },
    clock,
    find: (namespace, pod, container) =>
      container === 'c' ? log : `container "${container}" in pod "${pod}" of ${namespace}`,
    authorize: async ({ user }) => user === 'apiserver',
  });
  const get = (path: string, cert?: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const identity = cert ? { cert, key: privateKeyPem(clientKey.privateKey).reveal() } : {};
      const options = {
        host: '127.0.0.1',
        port: server.port,
        path,
        ca: root.pem,
        agent: false,
        ...identity,
      } as const;
      const call = request(options, (response) => {
        let text = `${response.statusCode} `;
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      });
      call.on('error', reject).end();
    });
  const apiserver = (await clientOf('apiserver')).pem;
  expect(await get('/containerLogs/ns/p/c?tailLines=1', apiserver)).toBe('200 hello\n');
  expect(await get('/containerLogs/ns/p/d', apiserver)).toBe('400 container "d" in pod "p" of ns');
  expect(await get('/containerLogs/ns/p/c', (await clientOf('stranger')).pem)).toMatch(
    /^403 Forbidden \(user=stranger/,
  );
  await expect(get('/containerLogs/ns/p/c')).rejects.toThrow();
  await server.close();
});
