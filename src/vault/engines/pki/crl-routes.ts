import { toPem } from '../../../x509/pem.ts';
import type { Context, Handler, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { currentList, type ListKind, rebuildLists } from './crl-keeper.ts';
import { withWarnings } from './format.ts';
import { findIssuer, requireIssuer } from './issuers.ts';
import { readCrlConfig } from './store.ts';

/** Revocation lists, for anyone: raw, as PEM, in JSON; of the default issuer and of each. */
export function crlRoutes(): Route[] {
  return [
    ...(['full', 'delta'] as const).flatMap(listRoutes),
    { path: 'crl/rotate', operations: { read: (context) => rotate(context, 'full') } },
    { path: 'crl/rotate-delta', operations: { read: (context) => rotate(context, 'delta') } },
  ];
}

function listRoutes(kind: ListKind): Route[] {
  const open = (path: string, read: Handler): Route => ({ path, open: true, operations: { read } });
  const raw = kind === 'full' ? 'crl' : 'crl/delta';
  const json = kind === 'full' ? 'cert/crl' : 'cert/delta-crl';
  return [
    open(raw, (context) => rawDefault(context, kind, 'der')),
    open(`${raw}/pem`, (context) => rawDefault(context, kind, 'pem')),
    open(json, (context) => jsonDefault(context, kind)),
    open(`issuer/:reference/${raw}`, (context) => jsonOf(context, kind)),
    open(`issuer/:reference/${raw}/der`, (context) => rawOf(context, kind, 'der')),
    open(`issuer/:reference/${raw}/pem`, (context) => rawOf(context, kind, 'pem')),
  ];
}

/** 204 with the content type when there is nothing. */
export function rawAnswer(contentType: string, body: Buffer | string | undefined): Result {
  if (body === undefined || body.length === 0) return { status: 204, raw: { contentType, body: '' } };
  return { raw: { contentType, body } };
}

const pemOf = (der: Buffer | undefined): string => (der === undefined ? '' : toPem('X509 CRL', der));

function answer(der: Buffer | undefined, form: 'der' | 'pem'): Result {
  return form === 'der'
    ? rawAnswer('application/pkix-crl', der)
    : rawAnswer('application/x-pem-file', pemOf(der));
}

async function rawDefault(context: Context, kind: ListKind, form: 'der' | 'pem'): Promise<Result> {
  const issuer = findIssuer(context.store, 'default');
  const der = issuer === undefined ? undefined : await currentList(context, issuer, kind);
  // The old path gives its PEM without the last line break, the issuers' own with it.
  return form === 'der' ? answer(der, 'der') : rawAnswer('application/x-pem-file', pemOf(der).trimEnd());
}

async function jsonDefault(context: Context, kind: ListKind): Promise<Result | undefined> {
  const der = await currentList(context, requireIssuer(context.store, 'default', true), kind);
  if (der === undefined) return undefined;
  return {
    data: { certificate: pemOf(der).trimEnd(), revocation_time: 0, revocation_time_rfc3339: '' },
  };
}

const issuerOf = ({ store, fields }: Context): ReturnType<typeof requireIssuer> =>
  requireIssuer(store, textOf(fields, 'reference'), true);

async function jsonOf(context: Context, kind: ListKind): Promise<Result> {
  return { data: { crl: pemOf(await currentList(context, issuerOf(context), kind)) } };
}

async function rawOf(context: Context, kind: ListKind, form: 'der' | 'pem'): Promise<Result> {
  return answer(await currentList(context, issuerOf(context), kind), form);
}

async function rotate(context: Context, kind: ListKind): Promise<Result> {
  const { enable_delta: hasDeltas } = readCrlConfig(context.store);
  if (kind === 'delta' && !hasDeltas) {
    return {
      data: { success: true },
      ...withWarnings(['requested rebuild of delta CRL when delta CRL is not enabled; this is a no-op']),
    };
  }
  try {
    await rebuildLists(context, kind === 'full' && hasDeltas ? ['full', 'delta'] : [kind]);
  } catch (error) {
    throw refuse(`Error during CRL building: ${error instanceof Error ? error.message : 'unknown'}`);
  }
  return { data: { success: true } };
}
