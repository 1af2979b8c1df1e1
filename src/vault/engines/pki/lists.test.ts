import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../x509/certificate.ts';
import { type Crl, isCrlSignedBy, parseCrl } from '../../../x509/crl.ts';
import type { VaultCore } from '../../core/vault-core.ts';
import { call, openTestCore, TestClock, tokenOf } from '../../test-core.ts';

const dataOf = (body: unknown): Record<string, string> => (body as { data: Record<string, string> }).data;

async function openPki(clock: TestClock, key_type = 'ec'): Promise<VaultCore> {
  const core = await openTestCore({ clock });
  await call(core, 'update', 'sys/mounts/pki', { type: 'pki', config: { max_lease_ttl: '87600h' } });
  await call(core, 'update', 'pki/root/generate/internal', { common_name: 'R', key_type, ttl: '8760h' });
  await call(core, 'update', 'pki/roles/r', { allow_any_name: true, key_type: 'ec' });
  return core;
}

async function newLeaf(core: VaultCore): Promise<string> {
  const { body } = await call(core, 'update', 'pki/issue/r', { common_name: 'a.b', ttl: '1h' });
  return dataOf(body).serial_number ?? '';
}

async function list(core: VaultCore, path = 'pki/crl'): Promise<Crl> {
  const { raw } = await call(core, 'read', path, {}, '');
  return parseCrl(Buffer.from(raw?.body ?? ''));
}

const serials = ({ revoked }: Crl): string[] => revoked.map(({ serial }) => serial);
const plain = (serial: string): string => serial.replaceAll(':', '');
const revoke = (core: VaultCore, serial_number: string): ReturnType<typeof call> =>
  call(core, 'update', 'pki/revoke', { serial_number });

describe('revocation lists', () => {
  test('are given raw with their content types, and with the last revocation in them', async () => {
    const clock = new TestClock();
    const core = await openPki(clock);
    const leaf = await newLeaf(core);
    const before = await list(core);
    expect(before.revoked).toEqual([]);
    await revoke(core, leaf);
    const after = await list(core);
    expect(after.revoked).toEqual([{ serial: plain(leaf), time: clock.time }]);
    expect(after.number).toBeGreaterThan(before.number ?? 0);
    expect(after.nextUpdate).toBe(clock.time + 72 * 3_600_000);
    const root = parseCertificate(String((await call(core, 'read', 'pki/ca/pem', {}, '')).raw?.body));
    expect(isCrlSignedBy(after, root)).toBe(true);
    const types = await Promise.all(
      ['crl', 'crl/pem', 'ca', 'ca/pem', 'ca_chain', 'issuer/default/crl/der', 'issuer/default/crl/pem'].map(
        async (path) => (await call(core, 'read', `pki/${path}`, {}, '')).raw?.contentType,
      ),
    );
    expect(types).toEqual([
      'application/pkix-crl',
      'application/x-pem-file',
      'application/pkix-cert',
      'application/pem-certificate-chain',
      'application/pkix-cert',
      'application/pkix-crl',
      'application/x-pem-file',
    ]);
    await core.close();
  });

  test('an empty mount answers 204, with the content type of what it has not', async () => {
    const core = await openTestCore();
    await call(core, 'update', 'sys/mounts/pki', { type: 'pki' });
    expect(await call(core, 'read', 'pki/crl', {}, '')).toEqual({
      status: 204,
      raw: { contentType: 'application/pkix-crl', body: '' },
    });
    await core.close();
  });

  test('are not signed anew without a reason, and in time before they end', async () => {
    const clock = new TestClock();
    const core = await openPki(clock);
    const first = await list(core);
    clock.time += 3_600_000;
    expect((await list(core)).number).toBe(first.number);
    clock.time += 72 * 3_600_000;
    const later = await list(core);
    expect(later.thisUpdate).toBe(clock.time);
    expect(later.number).toBe((first.number ?? 0) + 1);
    await core.close();
  });

  test('many at once: a number belongs to one list, and who asks later never gets a smaller one', async () => {
    const core = await openPki(new TestClock(), 'rsa');
    const leaves = await Promise.all(Array.from({ length: 12 }, () => newLeaf(core)));
    const seen: Buffer[] = [];
    const look = async (): Promise<void> => {
      const { raw } = await call(core, 'read', 'pki/crl', {}, '');
      seen.push(Buffer.from(raw?.body ?? ''));
    };
    await Promise.all(
      leaves.map(async (leaf) => {
        await Promise.all([revoke(core, leaf), look(), call(core, 'read', 'pki/crl/rotate')]);
        await look();
      }),
    );
    const numbers = seen.map((der) => parseCrl(der).number ?? 0);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    const lists = new Map(seen.map((der, i) => [numbers[i], der.toString('base64')]));
    expect(new Set(seen.map((der) => der.toString('base64'))).size).toBe(lists.size);
    expect(serials(await list(core)).sort()).toEqual(leaves.map(plain).sort());
    await core.close();
  });

  test('with deltas the complete list stays, and the delta has what came since', async () => {
    const clock = new TestClock();
    const core = await openPki(clock);
    await call(core, 'update', 'pki/config/crl', { auto_rebuild: true, enable_delta: true });
    const full = await list(core);
    clock.time += 60_000;
    const leaf = await newLeaf(core);
    await revoke(core, leaf);
    expect((await list(core)).number).toBe(full.number);
    const delta = await list(core, 'pki/crl/delta');
    expect(delta.deltaBase).toBe(full.number);
    expect(serials(delta)).toEqual([plain(leaf)]);
    await call(core, 'read', 'pki/crl/rotate');
    expect(serials(await list(core))).toEqual([plain(leaf)]);
    await core.close();
  });

  test('each issuer lists what it signed itself', async () => {
    const clock = new TestClock();
    const core = await openPki(clock, 'rsa');
    const old = await newLeaf(core);
    await call(core, 'update', 'pki/root/rotate/internal', { common_name: 'R2', key_type: 'ec' });
    await call(core, 'update', 'pki/root/replace', {});
    const fresh = await newLeaf(core);
    await Promise.all([revoke(core, old), revoke(core, fresh)]);
    expect(serials(await list(core))).toEqual([plain(fresh)]);
    const { body } = await call(core, 'list', 'pki/issuers/');
    const ids = (body as { data: { keys: string[]; key_info: Record<string, { issuer_name: string }> } })
      .data;
    const first = ids.keys.find((id) => ids.key_info[id]?.issuer_name === '');
    expect(serials(await list(core, `pki/issuer/${first}/crl/der`))).toEqual([plain(old)]);
    await core.close();
  });

  test('hundred revocations at once are all there', async () => {
    const core = await openPki(new TestClock());
    const leaves = await Promise.all(Array.from({ length: 100 }, () => newLeaf(core)));
    const replies = await Promise.all(leaves.map((leaf) => revoke(core, leaf)));
    expect(replies.every(({ status }) => status === 200)).toBe(true);
    expect(serials(await list(core)).sort()).toEqual(leaves.map(plain).sort());
    await core.close();
  });

  test('a certificate that was never kept is revoked by its PEM, and by its key alone', async () => {
    const core = await openPki(new TestClock());
    await call(core, 'update', 'pki/roles/r', { allow_any_name: true, key_type: 'ec', no_store: true });
    const { body } = await call(core, 'update', 'pki/issue/r', { common_name: 'a.b', ttl: '1h' });
    const { certificate, private_key, serial_number = '' } = dataOf(body);
    const other = await call(core, 'update', 'pki/issue/r', { common_name: 'a.b', ttl: '1h' });
    const wrong = await call(core, 'update', 'pki/revoke-with-key', {
      certificate,
      private_key: dataOf(other.body).private_key,
    });
    expect(wrong).toEqual({
      status: 400,
      body: { errors: ["provided private key does not match certificate's public key"] },
    });
    const done = await call(core, 'update', 'pki/revoke-with-key', { certificate, private_key });
    expect(done.status).toBe(200);
    expect(serials(await list(core))).toEqual([plain(serial_number)]);
    await core.close();
  });

  test('tidying forgets what has ended, and the list with it', async () => {
    const clock = new TestClock();
    const core = await openPki(clock);
    const leaf = await newLeaf(core);
    await revoke(core, leaf);
    clock.time += 2 * 3_600_000;
    await call(core, 'update', 'pki/tidy', {
      tidy_cert_store: true,
      tidy_revoked_certs: true,
      safety_buffer: '1m',
    });
    await expect
      .poll(async () => dataOf((await call(core, 'read', 'pki/tidy-status')).body).state)
      .toBe('Finished');
    expect((await list(core)).revoked).toEqual([]);
    expect((await call(core, 'read', `pki/cert/${leaf}`)).status).toBe(404);
    await core.close();
  });
});

describe('a leased certificate', () => {
  async function leased(core: VaultCore, token: string): Promise<{ serial: string; lease: string }> {
    const { body } = await call(core, 'update', 'pki/issue/leased', { common_name: 'a.b', ttl: '1h' }, token);
    return {
      serial: plain(dataOf(body).serial_number ?? ''),
      lease: (body as { lease_id: string }).lease_id,
    };
  }

  async function openLeasing(): Promise<VaultCore> {
    const core = await openPki(new TestClock());
    await call(core, 'update', 'pki/roles/leased', {
      allow_any_name: true,
      key_type: 'ec',
      generate_lease: true,
    });
    return core;
  }

  test('is revoked with its lease', async () => {
    const core = await openLeasing();
    const { serial, lease } = await leased(core, 'root');
    expect(lease).toMatch(/^pki\/issue\/leased\/[0-9A-Za-z]{24}$/);
    expect(serials(await list(core))).toEqual([]);
    expect((await call(core, 'update', 'sys/leases/revoke', { lease_id: lease })).status).toBe(204);
    expect(serials(await list(core))).toEqual([serial]);
    await core.close();
  });

  test('is revoked with the token that asked for it', async () => {
    const core = await openLeasing();
    const token = tokenOf(await call(core, 'update', 'auth/token/create', { policies: ['root'], ttl: '1h' }));
    const { serial, lease } = await leased(core, token);
    await call(core, 'update', 'auth/token/revoke', { token });
    expect(serials(await list(core))).toEqual([serial]);
    const lookup = await call(core, 'update', 'sys/leases/lookup', { lease_id: lease });
    expect(lookup).toMatchObject({ status: 400, body: { errors: ['invalid lease'] } });
    await core.close();
  });

  test('cannot be renewed', async () => {
    const core = await openLeasing();
    const { lease } = await leased(core, 'root');
    const reply = await call(core, 'update', 'sys/leases/renew', { lease_id: lease });
    expect(reply).toMatchObject({ status: 400, body: { errors: ['lease is not renewable'] } });
    await core.close();
  });
});
