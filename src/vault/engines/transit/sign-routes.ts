import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Context, Route } from '../../core/backend.ts';
import { fromBase64 } from '../../core/base64.ts';
import { booleanOf, type Fields, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { oneOrBatch } from './batch.ts';
import { contextBytes } from './derive.ts';
import { signInput, verifyInput } from './signing.ts';
import { hashOf, noHash, type SigningOptions } from './signing-options.ts';
import { currentKey, readKey, readVersioned, type TransitKey, versionForUse } from './store.ts';

const item: Schema = { input: 'string', signature: 'string', hmac: 'string', context: 'string' };

const fields: Schema = {
  ...item,
  batch_input: 'any',
  algorithm: 'string',
  hash_algorithm: 'string',
  signature_algorithm: 'string',
  marshaling_algorithm: 'string',
  salt_length: 'string',
  prehashed: 'bool',
  key_version: 'int',
};

/** Signatures and HMACs; the hash may stand in the path, where it wins. */
export function signRoutes(): Route[] {
  const both = (verb: string, handler: (context: Context) => Promise<Result>): Route[] =>
    [`${verb}/:name`, `${verb}/:name/:urlalgorithm`].map((path) => ({
      path,
      fields,
      operations: { update: handler },
    }));
  return [...both('sign', signMessage), ...both('verify', verifyMessage), ...both('hmac', hmacMessage)];
}

const nameOf = (context: Context): string => textOf(context.fields, 'name');
const hashName = ({ fields: sent }: Context): string =>
  textOf(sent, 'urlalgorithm') || textOf(sent, 'hash_algorithm') || textOf(sent, 'algorithm') || 'sha2-256';

function optionsOf(context: Context): SigningOptions {
  const { fields: sent } = context;
  const marshaling = textOf(sent, 'marshaling_algorithm') || 'asn1';
  if (marshaling !== 'asn1' && marshaling !== 'jws') {
    throw refuse(`invalid marshaling type ${JSON.stringify(marshaling)}`);
  }
  const name = hashName(context);
  return {
    hash: name === 'none' ? noHash : hashOf(name),
    isPrehashed: booleanOf(sent, 'prehashed'),
    scheme: textOf(sent, 'signature_algorithm'),
    marshaling,
    saltLength: saltLengthOf(textOf(sent, 'salt_length', 'auto')),
  };
}

/** 0 and -1 are Go's numbers for `auto` and `hash`. @throws Refusal 400 */
function saltLengthOf(text: string): SigningOptions['saltLength'] {
  const lower = text.toLowerCase();
  if (lower === 'auto' || lower === '0') return 'auto';
  if (lower === 'hash' || lower === '-1') return 'hash';
  if (!/^[-+]?\d{1,9}$/.test(lower)) throw refuse(`salt length neither 'auto', 'hash', nor an int: ${text}`);
  if (Number(lower) < 0) throw refuse(`salt length is invalid: ${Number(lower)}`);
  return Number(lower);
}

/** Signing without a hash is for those who know how. @throws Refusal 400 */
function checkNoHash({ hash, isPrehashed, scheme }: SigningOptions): void {
  if (hash !== noHash || (isPrehashed && scheme === 'pkcs1v15')) return;
  throw refuse('hash_algorithm=none requires both prehashed=true and signature_algorithm=pkcs1v15');
}

const inputOf = (sent: Fields): Buffer => {
  if (!('input' in sent)) throw refuse('missing input');
  return fromBase64(textOf(sent, 'input'), 'unable to decode input as base64: ');
};

async function signMessage(context: Context): Promise<Result> {
  const options = optionsOf(context);
  const key = await currentKey(context, nameOf(context), 'signing key not found');
  const isBatch = Array.isArray(context.data.batch_input);
  checkNoHash(options);
  return oneOrBatch(context, { schema: item, failed: { key_version: 0 }, isStrict: false }, async (sent) => {
    const { signature, version, publicKey } = await signInput(key, inputOf(sent), options, {
      version: numberOf(context.fields, 'key_version'),
      context: contextBytes(sent),
      random: context.random,
    });
    const shown = publicKey === undefined ? {} : { [isBatch ? 'publickey' : 'public_key']: publicKey };
    return { signature, key_version: version, ...shown };
  });
}

async function verifyMessage(context: Context): Promise<Result> {
  const key = readKey(context.store, nameOf(context));
  if (key === undefined) throw refuse('signature verification key not found');
  const options = optionsOf(context);
  checkNoHash(options);
  return oneOrBatch(context, { schema: item, failed: { valid: false }, isStrict: false }, async (sent) => {
    const signature = textOf(sent, 'signature');
    const hmac = textOf(sent, 'hmac');
    if (signature !== '' && hmac !== '') {
      throw refuse("provide one of 'signature' or 'hmac'");
    }
    if (signature !== '')
      return { valid: await verifyInput(key, inputOf(sent), signature, options, contextBytes(sent)) };
    if (hmac !== '') return { valid: isHmac(key, inputOf(sent), hmac, options) };
    throw refuse("neither a 'signature' nor an 'hmac' were given to verify");
  });
}

async function hmacMessage(context: Context): Promise<Result> {
  const key = await currentKey(context, nameOf(context), 'encryption key not found');
  const { digest } = hashOf(hashName(context));
  const use = versionForUse(key, numberOf(context.fields, 'key_version'), 'encryption');
  return oneOrBatch(context, { schema: item, failed: {}, isStrict: false }, (sent) => {
    const mac = createHmac(digest, macKey(key, use.version)).update(inputOf(sent)).digest('base64');
    return { hmac: `vault:v${use.number}:${mac}` };
  });
}

/** A key made for HMACs is itself the key; the others have one beside. */
const macKey = (key: TransitKey, version: { readonly secret: string; readonly hmac: string }): Buffer =>
  Buffer.from(key.type === 'hmac' ? version.secret : version.hmac, 'base64');

function isHmac(key: TransitKey, input: Buffer, text: string, { hash }: SigningOptions): boolean {
  const { version, value } = readVersioned(key, text, 'HMAC');
  const wanted = createHmac(hash.digest, macKey(key, version)).update(input).digest();
  const given = Buffer.from(value, 'base64');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
