import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import type { VaultCore } from '../vault/core/vault-core.ts';
import { openTestCore } from '../vault/test-core.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import { createRoot } from '../x509/templates/root.ts';
import { issueServing } from '../x509/templates/serving.ts';
import { RequestFraming } from './list-verb.ts';
import { listenVault, type VaultListener } from './vault-listener.ts';

const list = 'LIST /v1/a HTTP/1.1\r\nHost: a\r\n\r\n';
const get = 'GET /v1/LIST HTTP/1.1\r\nHost: a\r\n\r\n';
const post = 'POST /v1/c HTTP/1.1\r\nContent-Length: 10\r\n\r\nLIST /v1/x';
const chunked =
  'PUT /v1/c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nLIST \r\nA\r\nLIST /v1/x\r\n0\r\n\r\n';

function rewritten(text: string, cuts: readonly number[]): string {
  const framing = new RequestFraming();
  const bytes = Buffer.from(text, 'latin1');
  let from = 0;
  for (const cut of [...cuts.filter((c) => c < bytes.length).sort((a, b) => a - b), bytes.length]) {
    framing.rewrite(bytes.subarray(from, cut));
    from = cut;
  }
  return bytes.toString('latin1');
}

describe('RequestFraming', () => {
  test('LIST becomes LINK at the start of requests and nowhere else, however the bytes are cut', () => {
    const request = fc.constantFrom(list, get, post, chunked);
    fc.assert(
      fc.property(
        fc.array(request, { maxLength: 6 }),
        fc.array(fc.nat(600), { maxLength: 20 }),
        (requests, cuts) => {
          const wanted = requests.map((r) => (r === list ? r.replace('LIST', 'LINK') : r)).join('');
          expect(rewritten(requests.join(''), cuts)).toBe(wanted);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('SCAN becomes BIND where a request begins with it', () => {
    const scan = list.replace('LIST', 'SCAN');
    expect(rewritten(scan + list + scan, [])).toBe(
      scan.replace('SCAN', 'BIND') + list.replace('LIST', 'LINK') + scan.replace('SCAN', 'BIND'),
    );
    expect(rewritten(post.replace('LIST', 'SCAN'), [])).toBe(post.replace('LIST', 'SCAN'));
  });

  test('any bytes leave it standing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.nat(50)), (text, cuts) => {
        rewritten(text, cuts);
      }),
    );
  });
});

describe('LIST over a real listener', () => {
  let core: VaultCore | undefined;
  let listener: VaultListener | undefined;
  afterEach(async () => {
    await listener?.close();
    await core?.close();
  });

  const head = 'Host: a\r\nX-Vault-Token: root\r\n';
  const wire = `LIST /v1/auth/token/accessors HTTP/1.1\r\n${head}\r\nGET /v1/sys/health HTTP/1.1\r\n${head}\r\nLIST /v1/auth/token/accessors HTTP/1.1\r\n${head}Connection: close\r\n\r\n`;

  async function exchange(
    pieces: readonly string[],
    tls?: { cert: string; key: string; ca: string },
  ): Promise<string[]> {
    core = await openTestCore();
    listener = await listenVault({
      core,
      clock: systemClock,
      log: silentLogger,
      host: '127.0.0.1',
      port: 0,
      ...(tls ? { tls } : {}),
    });
    const port = Number(new URL(listener.address).port);
    const socket = tls
      ? connectTls({ port, host: '127.0.0.1', ca: tls.ca, servername: 'localhost' })
      : connect(port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    for (const piece of pieces)
      await new Promise((resolve) => socket.write(piece, () => setTimeout(resolve, 2)));
    await closed;
    return answer.match(/HTTP\/1\.1 \d+/g) ?? [];
  }

  test('pipelined in one piece', async () => {
    expect(await exchange([wire])).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 200']);
  });

  test('cut in the middle of the verb', async () => {
    expect(await exchange(['L', 'IS', 'T /v1', wire.slice(8)])).toEqual([
      'HTTP/1.1 200',
      'HTTP/1.1 200',
      'HTTP/1.1 200',
    ]);
  });

  test('over TLS', async () => {
    const now = Date.now();
    const [rootKey, key] = [await generateKeyPair('ec-p256'), await generateKeyPair('ec-p256')];
    const root = await createRoot({ key: rootKey, ttl: 3_600_000, now });
    const issuer = { certificate: root, privateKey: rootKey.privateKey };
    const cert = await issueServing({
      issuer,
      publicKey: key.publicKey,
      dns: ['localhost'],
      ttl: 600_000,
      now,
    });
    const tls = { cert: cert.pem, key: privateKeyPem(key.privateKey).reveal(), ca: root.pem };
    expect(await exchange([wire], tls)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 200']);
  });
});
