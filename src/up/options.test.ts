import { describe, expect, test } from 'vitest';
import { parseWith } from './options.ts';
import { Ports } from './ports.ts';

describe('--with', () => {
  test('a binary that is there is taken by its absolute path', () => {
    expect([...parseWith([`istiod=${process.execPath}`])]).toEqual([['istiod', process.execPath]]);
  });

  test('a part of a node may be another’s in one cluster alone', () => {
    expect([...parseWith([`istiod@cluster2=${process.execPath}`]).keys()]).toEqual(['istiod@cluster2']);
  });

  test.each([
    ['vault@cluster1=/x', 'bad-with', '--with vault@cluster1=/x: "vault@cluster1" is no part of one cluster'],
    [
      'istiod@cluster3=/x',
      'bad-with',
      '--with istiod@cluster3=/x: "istiod@cluster3" is no part of one cluster',
    ],
    ['istoid=/x', 'bad-with', '--with istoid=/x: "istoid" is no part; did you mean istiod?'],
    ['vault=/nowhere/bao', 'bad-with', '--with vault=/nowhere/bao: /nowhere/bao is no file'],
    ['vault', 'bad-with', '--with vault: no path is given'],
    [
      'injector=/nowhere/vault-k8s',
      'bad-with',
      '--with injector=/nowhere/vault-k8s: /nowhere/vault-k8s is no file',
    ],
    [`etcd=${process.execPath}`, 'bad-with', '--with etcd: a real etcd needs a real kube-apiserver'],
  ])('%s is refused', (word, code, message) => {
    expect(() => parseWith([word])).toThrow(expect.objectContaining({ code, message }));
  });
});

describe('ports', () => {
  test('any free ones are free', async () => {
    const ports = new Ports(0);
    expect(await ports.take()).toBeGreaterThan(1023);
  });

  test('a taken one is refused with a way out', async () => {
    const { createServer } = await import('node:net');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await expect(new Ports(port).take()).rejects.toMatchObject({
      code: 'port-taken',
      message: `port ${port} is taken by another program`,
      hint: expect.stringContaining('--port-base'),
    });
    server.close();
  });
});
