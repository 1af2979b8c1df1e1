import type { Context, Handler, Route } from '../../core/backend.ts';
import { booleanOf, type Fields, listOf, numberOf, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { NewShares } from '../../core/rekey.ts';
import { type RekeyWords, rekeyWords, rotationWords } from '../../core/rekey-words.ts';
import type { Result } from '../../core/request.ts';
import { shareOf } from '../../core/share-text.ts';

const initFields = {
  secret_shares: 'int',
  secret_threshold: 'int',
  pgp_keys: 'list',
  backup: 'bool',
  require_verification: 'bool',
} as const;
const shareFields = { key: 'string', nonce: 'string' } as const;

/** How one of the two spellings of the same ceremony is reached and answers. */
interface Spelling {
  readonly words: RekeyWords;
  /** Without token and envelope. The listener decides whether these are reachable. */
  readonly open: boolean;
  readonly keyMissing: string;
}

const old: Spelling = {
  words: rekeyWords,
  open: true,
  keyMissing: "'key' must be specified in request body as JSON",
};
const present: Spelling = { words: rotationWords, open: false, keyMissing: "missing required field 'key'" };

/** New key shares: sys/rekey without a token, sys/rotate/root with one. Recovery keys belong to seals that we have not. */
export function rekeyRoutes(): Route[] {
  return [
    ...ceremony('rekey', old),
    { path: 'rekey/backup', sudo: true, operations: backup },
    { path: 'rekey/recovery-key-backup', sudo: true, operations: backup },
    ...ceremony('rotate/root', present),
    { path: 'rotate/root/backup', operations: backup },
    { path: 'rotate/recovery/backup', operations: backup },
    ...['rekey-recovery-key', 'rotate/recovery'].flatMap((path) => noRecovery(path)),
  ];
}

function ceremony(path: string, spelling: Spelling): Route[] {
  const { open } = spelling;
  const bound =
    (handler: (context: Context, spelling: Spelling) => Result | Promise<Result>): Handler =>
    async (context) => ({ ...(await handler(context, spelling)), bare: open });
  const cancel: Handler = ({ services }) => {
    services.rekey.cancel();
    return undefined;
  };
  return [
    {
      path: `${path}/init`,
      open,
      fields: initFields,
      operations: { read: bound(status), update: bound(begin), delete: cancel },
    },
    { path: `${path}/update`, open, fields: shareFields, operations: { update: bound(update) } },
    {
      path: `${path}/verify`,
      open,
      fields: shareFields,
      operations: { read: bound(verification), update: bound(verify), delete: bound(restart) },
    },
  ];
}

function status({ services }: Context): Result {
  const { shares, threshold, verificationRequired, verificationNonce, ...rest } = services.rekey.status();
  return {
    data: {
      ...rest,
      n: shares,
      t: threshold,
      pgp_fingerprints: null,
      backup: false,
      verification_required: verificationRequired,
      ...(verificationNonce === '' ? {} : { verification_nonce: verificationNonce }),
    },
  };
}

function begin(context: Context, { words }: Spelling): Result {
  const { fields, services } = context;
  if (listOf(fields, 'pgp_keys').length > 0)
    throw refuse('pgp_keys is not offered by this server: it has no OpenPGP');
  if (booleanOf(fields, 'backup')) {
    throw refuse('cannot request a backup of the new keys without providing PGP keys for encryption');
  }
  const config = {
    shares: numberOf(fields, 'secret_shares'),
    threshold: numberOf(fields, 'secret_threshold'),
  };
  services.rekey.begin(config, booleanOf(fields, 'require_verification'), words);
  return status(context);
}

async function update(context: Context, spelling: Spelling): Promise<Result> {
  const { share, nonce } = given(context.fields, spelling);
  const done = await context.services.rekey.update(share, nonce, spelling.words);
  return done === undefined ? status(context) : { data: finished(done) };
}

function finished({ shares, status: { nonce, verificationRequired, verificationNonce } }: NewShares): Fields {
  return {
    nonce,
    complete: true,
    keys: shares.map((share) => share.toString('hex')),
    keys_base64: shares.map((share) => share.toString('base64')),
    pgp_fingerprints: null,
    backup: false,
    verification_required: verificationRequired,
    ...(verificationNonce === '' ? {} : { verification_nonce: verificationNonce }),
  };
}

function verification({ services }: Context, { words }: Spelling): Result {
  const found = services.rekey.verification();
  if (found === undefined) throw refuse(words.nothing, 400, 'no-rekey');
  const { shares, threshold } = services.rekey.status();
  return { data: { ...found, n: shares, t: threshold } };
}

async function verify(context: Context, spelling: Spelling): Promise<Result> {
  const { share, nonce } = given(context.fields, spelling);
  const done = await context.services.rekey.verify(share, nonce, spelling.words);
  return done === undefined ? verification(context, spelling) : { data: { complete: true, nonce: done } };
}

function restart(context: Context, spelling: Spelling): Result {
  context.services.rekey.restartVerification(spelling.words);
  return verification(context, spelling);
}

function given(fields: Fields, { keyMissing, open }: Spelling): { share: Buffer; nonce: string } {
  const key = textOf(fields, 'key');
  if (key === '') throw refuse(keyMissing);
  const nonce = textOf(fields, 'nonce');
  if (nonce === '' && !open) throw refuse("missing required field 'nonce'");
  return { share: shareOf(key), nonce };
}

/** There is none, since a backup is of shares that PGP keys have made unreadable for others. */
const backup: Route['operations'] = {
  read: () => {
    throw refuse('no backed-up keys found');
  },
  delete: () => undefined,
};

function noRecovery(path: string): Route[] {
  const refused: Handler = () => {
    throw refuse('recovery keys not supported');
  };
  const open = path.startsWith('rekey');
  return ['init', 'update', 'verify'].map((step) => ({
    path: `${path}/${step}`,
    open,
    operations: { read: refused, update: refused, delete: step === 'init' ? () => undefined : refused },
  }));
}
