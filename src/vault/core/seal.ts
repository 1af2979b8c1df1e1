import { combine, split } from 'shamir-secret-sharing';
import { MeshrootError } from '../../lib/errors.ts';
import { Barrier, decryptBlob, encryptBlob, type KeyringTerm, type Random } from './barrier.ts';
import type { Physical, PhysicalChange } from './physical.ts';
import { refuse } from './refusal.ts';

const configKey = 'core/seal-config';
const rootKeyKey = 'core/root-key';
const keyringKey = 'core/keyring';
const keyBytes = 32;

export interface SealConfig {
  readonly shares: number;
  readonly threshold: number;
}

/** Undefined when the store is not initialised. */
export function readSealConfig(physical: Physical): SealConfig | undefined {
  const found = physical.get(configKey);
  return found === undefined ? undefined : (JSON.parse(String(Buffer.from(found))) as SealConfig);
}

/** Vault's texts for what cannot be. @throws Refusal 400 */
export function checkSealConfig(config: SealConfig): void {
  const wrong = sealConfigProblem(config);
  if (wrong !== undefined) throw refuse(`invalid seal configuration: ${wrong}`, 400, 'bad-seal-config');
}

/** Why there can be no such seal; undefined when there can. */
export function sealConfigProblem({ shares, threshold }: SealConfig): string | undefined {
  const wrong =
    (shares < 1 && 'shares must be at least one') ||
    (threshold < 1 && 'threshold must be at least one') ||
    (shares > 1 && threshold === 1 && 'threshold must be greater than one for multiple shares') ||
    (shares > 255 && 'shares must be less than 256') ||
    (threshold > shares && 'threshold cannot be larger than shares');
  return wrong === false ? undefined : wrong;
}

export interface NewSeal {
  readonly barrier: Barrier;
  /** To be committed together with the store's first entries. */
  readonly changes: readonly PhysicalChange[];
  /** Key shares, shown once: 32 bytes of y and one of x each, or the seal key itself for 1 of 1. */
  readonly shares: readonly Buffer[];
}

/** Makes seal key, root key and first data key. Nothing is written. */
export async function createSeal(config: SealConfig, now: number, random: Random): Promise<NewSeal> {
  const rootKey = random(keyBytes);
  const barrier = new Barrier([{ term: 1, key: random(keyBytes), installed: now }], random);
  const { shares, changes } = await sealRootKey(config, rootKey, random);
  const keyring = keyringChange(rootKey, barrier.terms, random);
  rootKey.fill(0);
  return { barrier, changes: [...changes, keyring], shares };
}

/** A new seal key around `rootKey`: its shares, and what must be committed for them to count. Nothing is written. */
export async function sealRootKey(
  config: SealConfig,
  rootKey: Buffer,
  random: Random,
): Promise<Omit<NewSeal, 'barrier'>> {
  const sealKey = random(keyBytes);
  const shares =
    config.shares === 1
      ? [Buffer.from(sealKey)]
      : (await split(new Uint8Array(sealKey), config.shares, config.threshold)).map((share) =>
          Buffer.from(share),
        );
  const changes = [
    { key: configKey, value: Buffer.from(JSON.stringify(config)) },
    { key: rootKeyKey, value: encryptBlob(sealKey, 1, rootKeyKey, rootKey, random) },
  ];
  sealKey.fill(0);
  return { changes, shares };
}

const badShares =
  'unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: cipher: message authentication failed';

/**
 * Combines shares and opens the root key.
 * @throws Refusal 400 when they are not this store's
 */
export async function openRootKey(physical: Physical, shares: readonly Buffer[]): Promise<Buffer> {
  const sealKey = await combined(shares);
  const rootKey = tryDecrypt(sealKey, rootKeyKey, physical);
  sealKey.fill(0);
  if (rootKey === undefined) throw refuse(badShares, 400, 'bad-unseal-key');
  return rootKey;
}

/**
 * Combines shares and opens the keyring.
 * @throws Refusal 400 when they are not this store's
 */
export async function openSeal(
  physical: Physical,
  shares: readonly Buffer[],
  random: Random,
): Promise<{ barrier: Barrier; rootKey: Buffer }> {
  const rootKey = await openRootKey(physical, shares);
  return { barrier: openKeyring(physical, rootKey, random), rootKey };
}

/** @throws MeshrootError `store-corrupt` when the keyring is not under `rootKey` */
export function openKeyring(physical: Physical, rootKey: Buffer, random: Random): Barrier {
  const blob = physical.get(keyringKey);
  if (blob === undefined) throw new MeshrootError('store-corrupt', 'the store has no keyring');
  const terms = JSON.parse(String(decryptBlob(rootKey, keyringKey, blob))) as readonly {
    term: number;
    key: string;
    installed: number;
  }[];
  const keys = terms.map(({ key, ...term }) => ({ ...term, key: Buffer.from(key, 'base64') }));
  return new Barrier(keys, random);
}

/** The change that makes a keyring with `term` added the stored one. */
export function keyringChange(
  rootKey: Buffer,
  terms: readonly KeyringTerm[],
  random: Random,
): PhysicalChange {
  return { key: keyringKey, value: encryptKeyring(rootKey, terms, random) };
}

/** The seal key of a quorum. @throws Refusal 400 when shares do not fit together */
export async function combined(shares: readonly Buffer[]): Promise<Buffer> {
  const [first] = shares;
  if (first !== undefined && shares.length === 1) return Buffer.from(first);
  try {
    return Buffer.from(await combine(shares.map((share) => new Uint8Array(share))));
  } catch {
    throw refuse(badShares, 400, 'bad-unseal-key');
  }
}

function tryDecrypt(key: Buffer, path: string, physical: Physical): Buffer | undefined {
  const blob = physical.get(path);
  if (blob === undefined) throw new MeshrootError('store-corrupt', `the store has no ${path}`);
  try {
    return key.length === keyBytes ? decryptBlob(key, path, blob) : undefined;
  } catch {
    return undefined;
  }
}

function encryptKeyring(rootKey: Buffer, terms: readonly KeyringTerm[], random: Random): Buffer {
  const text = JSON.stringify(terms.map(({ key, ...term }) => ({ ...term, key: key.toString('base64') })));
  return encryptBlob(rootKey, 1, keyringKey, Buffer.from(text), random);
}
