import { describe, expect, test } from 'vitest';
import { call, openTestCore } from '../test-core.ts';
import { decodeToken } from './generate-root.ts';
import { createMemoryPhysical } from './physical-memory.ts';
import { VaultCore } from './vault-core.ts';
import type { VaultCoreOptions } from './vault-core-options.ts';

type Body = Readonly<Record<string, unknown>>;

/** A store of two out of three, opened anew with whatever shares a test gives. */
async function opened(
  shares = 3,
  threshold = 2,
): Promise<{ core: VaultCore; keys: Buffer[]; options: VaultCoreOptions }> {
  const first = await openTestCore();
  const catalogue = first.services?.catalogue ?? { secret: {}, auth: {} };
  await first.close();
  const options = { physical: createMemoryPhysical(), catalogue };
  const core = new VaultCore(options);
  const made = await core.init({ shares, threshold }, 'root');
  for (const share of made.shares.slice(0, threshold)) await core.unseal(share);
  return { core, keys: [...made.shares], options };
}

const bodyOf = (reply: { body?: unknown }): Body => reply.body as Body;
const hex = (share: Buffer | undefined): string => share?.toString('hex') ?? '';

describe('new key shares', () => {
  test('count at once, and the old ones no longer', async () => {
    const { core, keys, options } = await opened();
    const { nonce } = bodyOf(
      await call(core, 'update', 'sys/rekey/init', { secret_shares: 1, secret_threshold: 1 }),
    );
    const half = await call(core, 'update', 'sys/rekey/update', { key: hex(keys[0]), nonce });
    expect(half.body).toMatchObject({ started: true, progress: 1, required: 2 });
    const twice = await call(core, 'update', 'sys/rekey/update', { key: hex(keys[0]), nonce });
    expect(twice).toMatchObject({
      status: 400,
      body: { errors: ['given key has already been provided during this generation operation'] },
    });
    const done = bodyOf(await call(core, 'update', 'sys/rekey/update', { key: hex(keys[2]), nonce }));
    expect(done).toMatchObject({ complete: true, verification_required: false });
    const [next = ''] = done.keys as string[];
    core.seal();
    const again = new VaultCore(options);
    await expect(again.unseal(Buffer.from(keys[0] ?? ''))).rejects.toMatchObject({ code: 'bad-unseal-key' });
    expect(await again.unseal(Buffer.from(next, 'hex'))).toMatchObject({ sealed: false, shares: 1 });
  });

  test('with verification count only when they came back', async () => {
    const { core, keys } = await opened(1, 1);
    const wanted = { secret_shares: 2, secret_threshold: 2, require_verification: true };
    const { nonce } = bodyOf(await call(core, 'update', 'sys/rekey/init', wanted));
    const out = bodyOf(await call(core, 'update', 'sys/rekey/update', { key: hex(keys[0]), nonce }));
    const late = await call(core, 'update', 'sys/rekey/update', { key: hex(keys[0]), nonce });
    expect(bodyOf(late).errors).toEqual([
      expect.stringContaining('rekey operation already finished; verification must be performed'),
    ]);
    expect(core.status()).toMatchObject({ shares: 1 });
    const check = out.verification_nonce;
    const [first, second] = out.keys as string[];
    await call(core, 'update', 'sys/rekey/verify', { key: first, nonce: check });
    expect(await call(core, 'update', 'sys/rekey/verify', { key: second, nonce: check })).toMatchObject({
      status: 200,
      body: { complete: true, nonce: check },
    });
    expect(core.status()).toMatchObject({ shares: 2, threshold: 2 });
    expect(bodyOf(await call(core, 'read', 'sys/rekey/init'))).toMatchObject({ started: false });
  });

  test('of others prove nothing: the attempt starts again from no share', async () => {
    const { core, keys } = await opened();
    const { nonce } = bodyOf(
      await call(core, 'update', 'sys/rekey/init', { secret_shares: 1, secret_threshold: 1 }),
    );
    await call(core, 'update', 'sys/rekey/update', { key: hex(keys[0]), nonce });
    const wrong = await call(core, 'update', 'sys/rekey/update', { key: 'ab'.repeat(33), nonce });
    expect(wrong.status).toBe(400);
    expect(bodyOf(await call(core, 'read', 'sys/rekey/init'))).toMatchObject({ started: true, progress: 0 });
    expect(core.status()).toMatchObject({ shares: 3 });
  });

  test('are not asked for while another attempt runs, and none survives sealing', async () => {
    const { core, keys } = await opened(1, 1);
    await call(core, 'update', 'sys/rotate/root/init', { secret_shares: 1, secret_threshold: 1 });
    const second = await call(core, 'update', 'sys/rekey/init', { secret_shares: 1, secret_threshold: 1 });
    expect(second).toMatchObject({ status: 400, body: { errors: ['rekey already in progress'] } });
    core.seal();
    await core.unseal(Buffer.from(keys[0] ?? ''));
    expect(bodyOf(await call(core, 'read', 'sys/rekey/init'))).toMatchObject({ started: false });
  });
});

describe('a root token by shares', () => {
  test.each([
    [28, /^hvs\.\w{24}$/],
    [26, /^s\.\w{24}$/],
  ])('is as long as the one-time password of %i characters', async (length, form) => {
    const { core, keys } = await opened();
    const otp = 'x'.repeat(length);
    const { nonce } = bodyOf(await call(core, 'update', 'sys/generate-root/attempt', { otp }));
    await call(core, 'update', 'sys/generate-root/update', { key: hex(keys[0]), nonce });
    const done = bodyOf(await call(core, 'update', 'sys/generate-root/update', { key: hex(keys[1]), nonce }));
    const token = decodeToken(String(done.encoded_token), otp);
    expect(token).toMatch(form);
    expect((await call(core, 'read', 'sys/mounts', {}, token)).status).toBe(200);
  });

  test('wants the nonce of its attempt', async () => {
    const { core, keys } = await opened(1, 1);
    const { nonce } = bodyOf(await call(core, 'update', 'sys/generate-root/attempt', {}));
    const wrong = await call(core, 'update', 'sys/generate-root/update', { key: hex(keys[0]), nonce: 'x' });
    expect(bodyOf(wrong).errors).toEqual([
      `incorrect nonce supplied; nonce for this root generation operation is "${nonce}"`,
    ]);
    expect((await call(core, 'delete', 'sys/generate-root/attempt')).status).toBe(204);
    const gone = await call(core, 'update', 'sys/generate-root/update', { key: hex(keys[0]), nonce });
    expect(bodyOf(gone).errors).toEqual(['no root generation in progress']);
  });

  test('the twin with a token needs one', async () => {
    const { core } = await opened(1, 1);
    expect((await call(core, 'read', 'sys/generate-root-token/attempt', {}, 'nosuch')).status).toBe(403);
    expect((await call(core, 'read', 'sys/rotate/root/init', {}, 'nosuch')).status).toBe(403);
  });
});
