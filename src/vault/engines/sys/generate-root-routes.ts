import type { Context, Handler, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { decodeToken, otpLength } from '../../core/generate-root.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { shareOf } from '../../core/share-text.ts';

/** A new root token by key shares: sys/generate-root without a token, sys/generate-root-token with one. */
export function generateRootRoutes(): Route[] {
  return [
    ...ceremony('generate-root', true),
    ...ceremony('generate-root-token', false),
    {
      path: 'decode-token',
      open: true,
      fields: { encoded_token: 'string', otp: 'string' },
      operations: { update: decode },
    },
  ];
}

/** `open`: without token and envelope. The listener decides whether these are reachable. */
function ceremony(path: string, open: boolean): Route[] {
  const bound =
    (handler: (context: Context) => Result | Promise<Result>): Handler =>
    async (context) => ({ ...(await handler(context)), bare: open });
  return [
    {
      path: `${path}/attempt`,
      open,
      fields: { otp: 'string', pgp_key: 'string' },
      operations: { read: bound((context) => status(context, '')), update: bound(begin), delete: cancel },
    },
    {
      path: `${path}/update`,
      open,
      fields: { key: 'string', nonce: 'string' },
      operations: { update: bound((context) => update(context, open)) },
    },
  ];
}

function status({ services }: Context, otp: string): Result {
  return {
    data: {
      ...services.rootGeneration.status(),
      complete: false,
      encoded_token: '',
      encoded_root_token: '',
      pgp_fingerprint: '',
      otp,
      otp_length: otpLength,
    },
  };
}

function begin(context: Context): Result {
  if (textOf(context.fields, 'pgp_key') !== '')
    throw refuse('pgp_key is not offered by this server: it has no OpenPGP');
  return status(context, context.services.rootGeneration.begin(textOf(context.fields, 'otp')));
}

function cancel({ services }: Context): undefined {
  services.rootGeneration.cancel();
}

async function update({ services, fields }: Context, open: boolean): Promise<Result> {
  const [key, nonce] = [textOf(fields, 'key'), textOf(fields, 'nonce')];
  if (nonce === '' && !open) throw refuse('nonce is required');
  if (key === '') throw refuse(open ? "'key' must be specified in request body as JSON" : 'key is required');
  const { required } = services.rootGeneration.status();
  const encoded = await services.rootGeneration.update(shareOf(key), nonce);
  const { progress } = services.rootGeneration.status();
  return {
    data: {
      nonce,
      started: true,
      progress: encoded === undefined ? progress : required,
      required,
      complete: encoded !== undefined,
      encoded_token: encoded ?? '',
      encoded_root_token: encoded ?? '',
      pgp_fingerprint: '',
      otp: '',
      otp_length: otpLength,
    },
  };
}

function decode({ fields }: Context): Result {
  const [encoded, otp] = [textOf(fields, 'encoded_token'), textOf(fields, 'otp')];
  if (encoded === '' || otp === '') throw refuse("provided 'encoded_token' or 'otp' is empty");
  return { data: { token: decodeToken(encoded, otp) } };
}
