import { type Crl, createCrl, type RevokedCertificate } from '../../../x509/crl.ts';
import { algorithmForKey } from '../../../x509/signature.ts';
import type { Context } from '../../core/backend.ts';
import type { StorageView } from '../../core/storage.ts';
import { certificateOf, requireSigner } from './issuers.ts';
import { secondsOf } from './seconds.ts';
import {
  allIssuers,
  type CrlConfig,
  readCrlConfig,
  readIssuersConfig,
  readRevocation,
  type StoredIssuer,
} from './store.ts';
import { filledIn, urlsFor } from './usages.ts';

export type ListKind = 'full' | 'delta';

/** A signed list at rest. Times in ms. */
interface StoredList {
  /** Base64. */
  readonly der: string;
  readonly number: number;
  readonly made: number;
  readonly nextUpdate: number;
  /** How many changes of revocations it knows of. */
  readonly changes: number;
}

/**
 * Notes that lists are no longer true. They are signed when somebody next asks: a revocation costs the same however
 * many there are, and after it nobody gets an old list.
 */
export const markRevocations = (store: StorageView): void => store.put('crl-changes', changesOf(store) + 1);

const changesOf = (store: StorageView): number => store.get<number>('crl-changes') ?? 0;
const listPath = (issuer: string, kind: ListKind): string => `crl/${issuer}/${kind}`;

/** The list of an issuer as it has to be now; undefined when it cannot sign lists, or has no deltas. */
export async function currentList(
  context: Context,
  issuer: StoredIssuer,
  kind: ListKind,
): Promise<Buffer | undefined> {
  const { store, clock } = context;
  const config = readCrlConfig(store);
  if (!canSignLists(issuer) || (kind === 'delta' && !config.enable_delta)) return undefined;
  const stored = store.get<StoredList>(listPath(issuer.id, kind));
  if (stored !== undefined && !isDue(stored, kind, config, changesOf(store), clock.now())) {
    return Buffer.from(stored.der, 'base64');
  }
  return (await buildList(context, issuer, kind)).der;
}

const canSignLists = ({ usage, keyId }: StoredIssuer): boolean =>
  usage.includes('crl-signing') && keyId !== '';

/** With auto_rebuild a complete list lives until its grace period, and changes go into the deltas. */
function isDue(list: StoredList, kind: ListKind, config: CrlConfig, changes: number, now: number): boolean {
  if (now >= list.nextUpdate) return true;
  const isChanged = list.changes !== changes;
  if (!config.auto_rebuild) return isChanged;
  if (kind === 'full') return now >= list.nextUpdate - secondsOf(config.auto_rebuild_grace_period) * 1000;
  return isChanged && now >= list.made + secondsOf(config.delta_rebuild_interval) * 1000;
}

/** Signs every list anew. */
export async function rebuildLists(context: Context, kinds: readonly ListKind[]): Promise<void> {
  for (const issuer of allIssuers(context.store).filter(canSignLists)) {
    for (const kind of kinds) await buildList(context, issuer, kind);
  }
}

async function buildList(context: Context, issuer: StoredIssuer, kind: ListKind): Promise<Crl> {
  const { store, clock } = context;
  const config = readCrlConfig(store);
  const full = store.get<StoredList>(listPath(issuer.id, 'full'));
  const last = store.get<StoredList>(listPath(issuer.id, 'delta'));
  const number = Math.max(full?.number ?? 0, last?.number ?? 0) + 1;
  const signer = requireSigner(store, issuer.id, 'crl-signing');
  const urls = filledIn(store, urlsFor(store, issuer), issuer);
  const now = clock.now();
  const nextUpdate = now + secondsOf(config.expiry) * 1000;
  const isDelta = kind === 'delta';
  const crl = await createCrl({
    issuer: signer,
    number,
    thisUpdate: now,
    nextUpdate,
    revoked: config.disable ? [] : revokedOf(store, issuer, isDelta ? (full?.made ?? 0) : 0),
    ...(isDelta ? { deltaBase: full?.number ?? 0 } : { deltaUrls: urls.delta_crl_distribution_points }),
    algorithm: algorithmForKey(
      signer.privateKey,
      Number(/^SHA(\d+)/.exec(issuer.revocationAlgorithm)?.[1] ?? 256),
    ),
  });
  const list: StoredList = {
    der: crl.der.toString('base64'),
    number,
    made: now,
    nextUpdate,
    changes: changesOf(store),
  };
  store.put(listPath(issuer.id, kind), list);
  return crl;
}

/** Revoked since `since`, of the issuer and its twins (same name, same key); the default's list takes strays too. */
function revokedOf(store: StorageView, issuer: StoredIssuer, since: number): RevokedCertificate[] {
  const twins = new Set(
    allIssuers(store)
      .filter((one) => one.keyId === issuer.keyId && sameSubject(one, issuer))
      .map(({ id }) => id),
  );
  if (twins.has(readIssuersConfig(store).default)) twins.add('');
  return store.list('revoked/').flatMap((serial) => {
    const found = readRevocation(store, serial);
    if (found === undefined || found.time < since || !twins.has(found.issuer)) return [];
    return [{ serial, time: found.time }];
  });
}

const sameSubject = (a: StoredIssuer, b: StoredIssuer): boolean =>
  certificateOf(a).subjectDer.equals(certificateOf(b).subjectDer);
