import { messageOf } from '../../../lib/errors.ts';
import { type Crl, parseCrl } from '../../../x509/crl.ts';
import type { Context, MountContext, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import type { FetchCrl } from './fetch-crl.ts';
import { crlNames, deleteCrl, putCrl, readCrl, type StoredCrl } from './revoked.ts';

/** `crls/NAME`: lists that are given, or fetched from where their CA publishes them. */
export const crlRoutes = (fetch: FetchCrl): Route[] => [
  { path: 'crls', operations: { list } },
  {
    path: 'crls/:name',
    fields: { crl: 'string', url: 'string' },
    operations: { read, update: (context) => write(context, fetch), delete: remove },
  },
];

function list({ store }: Context): Result | undefined {
  const keys = crlNames(store);
  return keys.length === 0 ? undefined : { data: { keys } };
}

const nameOf = ({ fields }: Context): string => textOf(fields, 'name').toLowerCase();

function found(context: Context): StoredCrl {
  const crl = readCrl(context.store, nameOf(context));
  if (crl === undefined) throw refuse(`no such CRL ${nameOf(context)}`);
  return crl;
}

function read(context: Context): Result {
  const { serials, source } = found(context);
  const numbers = serials.map((hex) => [BigInt(`0x${hex}`).toString(), {}] as const);
  return {
    data: {
      ...(numbers.length === 0 ? {} : { serials: Object.fromEntries(numbers) }),
      ...(source === undefined ? {} : { cdp: { url: source.url, valid_until: timeText(source.validUntil) } }),
    },
  };
}

/** Go's zero time for a list that does not say it. */
const timeText = (ms: number | undefined): string =>
  ms === undefined ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString();

async function write(context: Context, fetch: FetchCrl): Promise<undefined> {
  const { store, fields } = context;
  if ('crl' in fields) {
    putCrl(store, nameOf(context), parsed(textOf(fields, 'crl')));
    return;
  }
  if (!('url' in fields)) throw refuse("one of 'crl' or 'url' must be provided");
  const url = textOf(fields, 'url');
  if (url === '') throw refuse('empty CRL url');
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    throw refuse(`invalid CRL url: ${url} is no http or https address`);
  }
  putCrl(store, nameOf(context), parsed(await fetched(url, fetch)), url);
}

async function fetched(url: string, fetch: FetchCrl): Promise<Buffer> {
  try {
    return await fetch(url);
  } catch (error) {
    throw refuse(messageOf(error), 400, 'crl-not-fetched');
  }
}

function parsed(input: string | Buffer): Crl {
  try {
    return parseCrl(input);
  } catch (error) {
    throw refuse(`failed to parse CRL: ${messageOf(error)}`);
  }
}

function remove(context: Context): undefined {
  found(context);
  deleteCrl(context.store, nameOf(context));
}

/** Fetches anew the lists whose time is over. Until that is done, what they said last holds. */
export async function refreshCrls({ store, clock, log }: MountContext, fetch: FetchCrl): Promise<void> {
  for (const name of crlNames(store)) {
    const { source } = readCrl(store, name) ?? {};
    if (source === undefined || (source.validUntil ?? 0) > clock.now()) continue;
    try {
      putCrl(store, name, parsed(await fetched(source.url, fetch)), source.url);
    } catch (error) {
      log.warn('a revocation list could not be fetched', { name, url: source.url, error: messageOf(error) });
    }
  }
}
