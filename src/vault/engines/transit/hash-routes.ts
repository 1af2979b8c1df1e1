import { createHash } from 'node:crypto';
import type { Context, Route } from '../../core/backend.ts';
import { fromBase64 } from '../../core/base64.ts';
import { numberOf, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { hashOf } from './signing-options.ts';

const maxRandom = 128 * 1024;
const sources = ['platform', 'seal', 'all'];

/** What needs no key: digests and random bytes. */
export function hashRoutes(): Route[] {
  const hashFields = {
    urlalgorithm: 'string',
    input: 'string',
    algorithm: 'string',
    format: 'string',
  } as const;
  const randomFields = { source: 'string', urlbytes: 'string', bytes: 'int', format: 'string' } as const;
  return [
    ...['hash', 'hash/:urlalgorithm'].map((path) => ({
      path,
      fields: hashFields,
      operations: { update: hash },
    })),
    ...['random', 'random/:source', 'random/:source/:urlbytes'].map((path) => ({
      path,
      fields: randomFields,
      operations: { update: random },
    })),
  ];
}

function encodingOf(format: string, shown: string): 'hex' | 'base64' {
  if (format === 'hex' || format === 'base64') return format;
  throw refuse(`unsupported encoding format ${shown}; must be "hex" or "base64"`);
}

function hash({ fields }: Context): Result {
  if (!('input' in fields)) throw refuse('input missing');
  const input = fromBase64(textOf(fields, 'input'), 'unable to decode input as base64: ');
  const format = textOf(fields, 'format') || 'hex';
  const encoding = encodingOf(format, format);
  const name = textOf(fields, 'urlalgorithm') || textOf(fields, 'algorithm') || 'sha2-256';
  if (!name.startsWith('sha2-') && !name.startsWith('sha3-')) throw refuse(`unsupported algorithm ${name}`);
  return { data: { sum: createHash(hashOf(name).digest).update(input).digest(encoding) } };
}

/** The number may stand where the source does. */
function random(context: Context): Result {
  const { fields } = context;
  const source = textOf(fields, 'source');
  const inUrl = textOf(fields, 'urlbytes') || (sources.includes(source) ? '' : source);
  if (inUrl !== '' && !/^-?\d{1,9}$/.test(inUrl)) {
    const reason = `strconv.Atoi: parsing ${JSON.stringify(inUrl)}: invalid syntax`;
    throw refuse(`error parsing url-set byte count: ${reason}`);
  }
  const bytes = inUrl === '' ? numberOf(fields, 'bytes', 32) : Number(inUrl);
  if (bytes < 1) throw refuse("'bytes' cannot be less than 1");
  if (bytes > maxRandom) throw refuse(`'bytes' should be less than ${maxRandom}`);
  const format = textOf(fields, 'format') || 'base64';
  const encoding = encodingOf(format, JSON.stringify(format));
  if (source !== inUrl && source !== '' && !sources.includes(source)) {
    throw refuse(
      `unsupported entropy source ${JSON.stringify(source)}; must be "platform" or "seal", or "all"`,
    );
  }
  const data = { random_bytes: context.random(bytes).toString(encoding) };
  const warning = 'no seal/entropy augmentation available, using platform entropy source';
  return source === 'seal' ? { data, warnings: [warning] } : { data };
}
