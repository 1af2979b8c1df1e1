import { messageOf } from '../../../lib/errors.ts';
import type { Certificate } from '../../../x509/certificate.ts';
import { type Crl, parseCrl } from '../../../x509/crl.ts';
import type { Context, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import type { StorageView } from '../../core/storage.ts';

/** A revocation list that the operator gave. */
interface StoredCrl {
  /** Base64 of the issuer's encoded name. */
  readonly issuer: string;
  /** Lower-case hex. */
  readonly serials: readonly string[];
}

const pathOf = (name: string): string => `crls/${name.toLowerCase()}`;

/** Whether a list of the mount revokes one of the certificates; a serial number counts together with its issuer. */
export function isRevoked(store: StorageView, chain: readonly Certificate[]): boolean {
  const lists = store.list('crls/').flatMap((name) => store.get<StoredCrl>(pathOf(name)) ?? []);
  return chain.some(({ serial, issuerDer }) => {
    const issuer = issuerDer.toString('base64');
    return lists.some((list) => list.issuer === issuer && list.serials.includes(serial));
  });
}

/** `crls/NAME`: lists are given, not fetched. */
export const crlRoutes = (): Route[] => [
  { path: 'crls', operations: { list } },
  {
    path: 'crls/:name',
    fields: { crl: 'string', url: 'string' },
    operations: { read, update: write, delete: remove },
  },
];

function list({ store }: Context): Result | undefined {
  const keys = store.list('crls/');
  return keys.length === 0 ? undefined : { data: { keys } };
}

const found = ({ store, fields }: Context): StoredCrl => {
  const name = textOf(fields, 'name').toLowerCase();
  const crl = store.get<StoredCrl>(pathOf(name));
  if (crl === undefined) throw refuse(`no such CRL ${name}`);
  return crl;
};

function read(context: Context): Result {
  const { serials } = found(context);
  if (serials.length === 0) return { data: {} };
  return { data: { serials: Object.fromEntries(serials.map((hex) => [BigInt(`0x${hex}`).toString(), {}])) } };
}

function write({ store, fields }: Context): undefined {
  if (!('crl' in fields)) {
    throw refuse(
      'url' in fields
        ? "this server does not fetch CRLs: give the list itself as 'crl'"
        : "one of 'crl' or 'url' must be provided",
    );
  }
  const { issuerDer, revoked } = parsed(textOf(fields, 'crl'));
  const crl: StoredCrl = {
    issuer: issuerDer.toString('base64'),
    serials: revoked.map(({ serial }) => serial),
  };
  store.put(pathOf(textOf(fields, 'name')), crl);
}

function parsed(text: string): Crl {
  try {
    return parseCrl(text);
  } catch (error) {
    throw refuse(`failed to parse CRL: ${messageOf(error)}`);
  }
}

function remove(context: Context): undefined {
  found(context);
  context.store.delete(pathOf(textOf(context.fields, 'name')));
}
