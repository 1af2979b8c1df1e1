import { type Crl, createCrl, type RevokedCertificate } from '../../../x509/crl.ts';
import type { SignatureAlgorithm } from '../../../x509/signature.ts';
import type { Context } from '../../core/backend.ts';
import type { Services } from '../../core/services.ts';
import type { StorageView } from '../../core/storage.ts';
import { signatureFor } from './certify.ts';
import { certificateOf, requireSigner, type Signer } from './issuers.ts';
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
  const fresh = (): Buffer | undefined => {
    const last = lastList(context, issuer, kind);
    const isDone = last !== undefined && !isDue(last, kind, config, changesOf(store), clock.now());
    return isDone ? Buffer.from(last.der, 'base64') : undefined;
  };
  return fresh() ?? inTurn(context, async () => fresh() ?? (await buildList(context, issuer, kind)).der);
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
    for (const kind of kinds) await inTurn(context, () => buildList(context, issuer, kind));
  }
}

/** The lists of one mount on their way to the store. */
interface Workshop {
  turn: Promise<unknown>;
  /** Signed, not yet committed. */
  readonly signed: Map<string, StoredList>;
}

const workshops = new WeakMap<Services, Map<string, Workshop>>();

function workshopOf({ services, mount }: Context): Workshop {
  const all = workshops.get(services) ?? new Map<string, Workshop>();
  workshops.set(services, all);
  const workshop = all.get(mount.uuid) ?? { turn: Promise.resolve(), signed: new Map() };
  all.set(mount.uuid, workshop);
  return workshop;
}

/** Signing takes a while: two at once would give the same number to different lists. */
function inTurn<T>(context: Context, work: () => Promise<T>): Promise<T> {
  const workshop = workshopOf(context);
  const done = workshop.turn.then(work);
  workshop.turn = done.catch(() => undefined);
  return done;
}

function lastList(context: Context, issuer: StoredIssuer, kind: ListKind): StoredList | undefined {
  const path = listPath(issuer.id, kind);
  return workshopOf(context).signed.get(path) ?? context.store.get<StoredList>(path);
}

function keep(context: Context, path: string, list: StoredList): void {
  const { signed } = workshopOf(context);
  signed.set(path, list);
  context.store.put(path, list);
  context.transaction.afterCommit(() => {
    if (signed.get(path) === list) signed.delete(path);
  });
}

async function buildList(context: Context, issuer: StoredIssuer, kind: ListKind): Promise<Crl> {
  const { store, clock } = context;
  const config = readCrlConfig(store);
  const full = lastList(context, issuer, 'full');
  const last = lastList(context, issuer, 'delta');
  const number = Math.max(full?.number ?? 0, last?.number ?? 0) + 1;
  const signer = requireSigner(store, issuer.id, 'crl-signing');
  const urls = filledIn(store, urlsFor(store, issuer), issuer);
  const now = clock.now();
  const changes = changesOf(store); // before the signature: what changes meanwhile is for the next list
  const nextUpdate = now + secondsOf(config.expiry) * 1000;
  const isDelta = kind === 'delta';
  const crl = await createCrl({
    issuer: signer,
    number,
    thisUpdate: now,
    nextUpdate,
    revoked: config.disable ? [] : revokedOf(store, issuer, isDelta ? (full?.made ?? 0) : 0),
    ...(isDelta ? { deltaBase: full?.number ?? 0 } : { deltaUrls: urls.delta_crl_distribution_points }),
    algorithm: listAlgorithm(signer, issuer.revocationAlgorithm),
  });
  const list: StoredList = {
    der: crl.der.toString('base64'),
    number,
    made: now,
    nextUpdate,
    changes,
  };
  keep(context, listPath(issuer.id, kind), list);
  return crl;
}

/** @param name of Go, as `SHA256WithRSAPSS`; empty leaves it to the key */
export function listAlgorithm(signer: Signer, name: string): SignatureAlgorithm {
  return signatureFor(signer, Number(/^SHA(\d+)/.exec(name)?.[1] ?? 256), name.endsWith('PSS'));
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
