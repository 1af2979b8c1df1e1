import { wrappingPolicyName } from '../policy/builtin-policies.ts';
import type { Context } from './backend.ts';
import { envelope } from './envelope.ts';
import type { Fields } from './fields.ts';
import { refuse } from './refusal.ts';
import type { Result } from './request.ts';
import type { TokenEntry } from './token-entry.ts';
import { cubbyholePrefix } from './tokens.ts';

/** What a wrapping token gives once. */
interface Wrapped {
  readonly envelope: Fields | null;
}

export const badWrappingToken = (): Error =>
  refuse('wrapping token is not valid or does not exist', 400, 'bad-wrapping-token');

/** Puts a result aside under a token that can be used once, and answers with that token. @param ttl seconds */
export function wrapResult(context: Context, result: Result | undefined, ttl: number): Result | undefined {
  // Where there is nothing to read, nothing is put aside.
  if (
    result === undefined ||
    result.raw !== undefined ||
    result.stream !== undefined ||
    result.status === 404
  )
    return result;
  const reply = envelope('', result);
  const accessor = result.auth?.accessor;
  const put = putAside(
    context,
    (reply.body as Fields | undefined) ?? null,
    ttl,
    context.request.path,
    accessor,
  );
  return { ...result, ...put }; // the audit log tells what was put aside, the caller sees the envelope
}

/** The answer with `wrap_info`. */
export function putAside(
  context: Context,
  wrapped: Fields | null,
  ttl: number,
  creationPath: string,
  accessor?: string,
): Result {
  const { services, transaction } = context;
  const now = services.leases.now();
  const { token, entry } = services.tokens.create(
    transaction,
    {
      policies: [wrappingPolicyName],
      path: 'sys/wrapping/wrap',
      meta: null,
      displayName: 'response-wrapping',
      numUses: 1,
      parent: '',
      ttl: ttl * 1000,
      explicitMaxTtl: ttl * 1000,
      period: 0,
      renewable: false,
      boundCidrs: [],
      wrapping: { path: creationPath, ttl },
    },
    now,
  );
  transaction.put(`${cubbyholePrefix(entry.key)}response`, { envelope: wrapped } satisfies Wrapped);
  const info = {
    token,
    accessor: entry.accessor,
    ttl,
    creation_time: new Date(now).toISOString(),
    creation_path: creationPath,
    ...(accessor === undefined ? {} : { wrapped_accessor: accessor }),
  };
  return {
    envelope: {
      lease_id: '',
      renewable: false,
      lease_duration: 0,
      data: null,
      wrap_info: info,
      warnings: null,
      auth: null,
    },
  };
}

/** @throws Refusal 400 for unknown, used, expired and other tokens alike */
export function findWrapping(context: Context, token: string): TokenEntry {
  const { services, transaction } = context;
  const entry = token === '' ? undefined : services.tokens.find(transaction, services.tokens.keyOf(token));
  const lease = entry === undefined ? undefined : services.leases.get(entry.leaseId, transaction);
  if (entry?.wrapping === undefined || lease === undefined || lease.expires <= services.leases.now())
    throw badWrappingToken();
  return entry;
}

/** Takes out what was put aside; the token is gone with it. */
export function takeOut(context: Context, entry: TokenEntry): Fields | null {
  const wrapped = context.transaction.get<Wrapped>(`${cubbyholePrefix(entry.key)}response`);
  context.services.tokens.revoke(context.transaction, entry.key);
  return wrapped?.envelope ?? null;
}
