import { Secret } from '../../lib/secret.ts';
import { fromJson } from './functions/json.ts';
import {
  FunctionError,
  GoMap,
  GoSlice,
  GoStruct,
  type GoValue,
  JsonNumber,
  NilPointer,
  Sized,
} from './values.ts';

/** A secret as templates see it, with what scheduling needs. */
export interface FetchedSecret {
  readonly value: GoStruct;
  readonly leaseId: string;
  /** What the answer made, a login or a token: its life is the answer's. */
  readonly token: Secret<string> | undefined;
  /** Seconds. */
  readonly leaseDuration: number;
  readonly renewable: boolean;
}

const authFields = ['ClientToken', 'Accessor', 'Policies', 'Metadata', 'LeaseDuration', 'Renewable'];
const wrapFields = ['Token', 'TTL', 'CreationTime', 'WrappedAccessor'];

/**
 * consul-template's `*dependency.Secret` of an answer's JSON; numbers keep their literal.
 * @param json binary string
 * @throws FunctionError when it is not JSON
 */
export function secretValue(json: string): FetchedSecret {
  const body = fromJson(json, 'literal');
  if (!(body instanceof GoMap)) throw new FunctionError('the answer is not a JSON object');
  const field = (name: string): GoValue => body.entries.get(name);
  const data = field('data');
  const seconds = integer(field('lease_duration'));
  const fields = new Map<string, GoValue>([
    ['RequestID', text(field('request_id'))],
    ['LeaseID', text(field('lease_id'))],
    ['LeaseDuration', BigInt(seconds)],
    ['Renewable', field('renewable') === true],
    ['Data', data instanceof GoMap ? data : new GoMap('map[string]interface {}')],
    ['Warnings', strings(field('warnings'))],
    ['Auth', authValue(field('auth'))],
    ['WrapInfo', new NilPointer('*dependency.SecretWrapInfo', wrapFields)],
  ]);
  const value = new GoStruct('*dependency.Secret', fields);
  const leaseId = text(field('lease_id'));
  const auth = field('auth');
  const token = auth instanceof GoMap ? text(auth.entries.get('client_token')) : '';
  if (!(auth instanceof GoMap) || token === '')
    return {
      value,
      leaseId,
      token: undefined,
      leaseDuration: seconds,
      renewable: field('renewable') === true,
    };
  return {
    value,
    leaseId,
    token: new Secret(token),
    leaseDuration: integer(auth.entries.get('lease_duration')),
    renewable: auth.entries.get('renewable') === true,
  };
}

function authValue(auth: GoValue): GoValue {
  if (!(auth instanceof GoMap)) return new NilPointer('*dependency.SecretAuth', authFields);
  const field = (name: string): GoValue => auth.entries.get(name);
  const metadata = field('metadata');
  const entries = metadata instanceof GoMap ? metadata.entries : new Map<string, GoValue>();
  return new GoStruct(
    '*dependency.SecretAuth',
    new Map<string, GoValue>([
      ['ClientToken', text(field('client_token'))],
      ['Accessor', text(field('accessor'))],
      ['Policies', strings(field('policies'))],
      ['Metadata', new GoMap('map[string]string', entries)],
      ['LeaseDuration', BigInt(integer(field('lease_duration')))],
      ['Renewable', field('renewable') === true],
    ]),
  );
}

function text(v: GoValue): string {
  return typeof v === 'string' ? v : '';
}

function strings(v: GoValue): GoSlice {
  return new GoSlice('[]string', v instanceof GoSlice ? v.items.map(text) : []);
}

function integer(v: GoValue): number {
  if (v instanceof Sized) return Number(v.value);
  const n = v instanceof JsonNumber ? Math.trunc(Number(v.text)) : 0;
  return Number.isSafeInteger(n) ? n : 0;
}
