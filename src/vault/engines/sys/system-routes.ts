import { createHash } from 'node:crypto';
import type { Context, Route } from '../../core/backend.ts';
import { type Fields, numberOf, textOf } from '../../core/fields.ts';
import { metricsResult } from '../../core/metrics-result.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';

const hashes: Readonly<Record<string, string>> = {
  'sha2-224': 'sha224',
  'sha2-256': 'sha256',
  'sha2-384': 'sha384',
  'sha2-512': 'sha512',
  'sha3-224': 'sha3-224',
  'sha3-256': 'sha3-256',
  'sha3-384': 'sha3-384',
  'sha3-512': 'sha3-512',
};
const maxRandomBytes = 131_072;

/** Metrics, small tools. Sealing is done by the listener, behind `seal` here for who may. */
export function systemRoutes(): Route[] {
  const hashFields = { input: 'string', format: 'string', algorithm: 'string' } as const;
  const randomFields = { format: 'string', bytes: 'int' } as const;
  return [
    { path: 'seal', sudo: true, operations: { update: () => undefined } },
    { path: 'step-down', sudo: true, operations: { update: () => undefined } },
    {
      path: 'metrics',
      operations: { read: ({ services, request }) => metricsResult(services.metrics, request) },
    },
    ...['tools/hash', 'tools/hash/:urlalgorithm'].map((path) => ({
      path,
      fields: hashFields,
      operations: { update: hash },
    })),
    ...['tools/random', 'tools/random/:count', 'tools/random/:source/:count'].map((path) => ({
      path,
      fields: randomFields,
      operations: { update: randomBytes },
    })),
  ];
}

function hash({ fields }: Context): Result {
  const name = textOf(fields, 'urlalgorithm') || textOf(fields, 'algorithm') || 'sha2-256';
  const algorithm = Object.hasOwn(hashes, name) ? hashes[name] : undefined;
  const input = textOf(fields, 'input');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(input))
    throw refuse('unable to decode input as base64: it is not of the standard alphabet with its padding');
  if (algorithm === undefined) throw refuse(`unsupported algorithm ${name}`);
  const encoding = encodingOf(fields, 'hex', (text) => text);
  return { data: { sum: createHash(algorithm).update(Buffer.from(input, 'base64')).digest(encoding) } };
}

const sources = ['platform', 'seal', 'all'];

function randomBytes({ fields, random }: Context): Result {
  const last = textOf(fields, 'count');
  const isNamed = !('source' in fields) && sources.includes(last);
  const source = isNamed ? last : textOf(fields, 'source', 'platform');
  const bytes = isNamed ? numberOf(fields, 'bytes', 32) : byteCount(fields);
  if (bytes < 1) throw refuse("'bytes' cannot be less than 1");
  if (bytes > maxRandomBytes) throw refuse(`'bytes' should be less than ${maxRandomBytes}`);
  const encoding = encodingOf(fields, 'base64', JSON.stringify);
  if (!sources.includes(source))
    throw refuse(
      `unsupported entropy source ${JSON.stringify(source)}; must be "platform" or "seal", or "all"`,
    );
  const warnings =
    source === 'seal' ? ['no seal/entropy augmentation available, using platform entropy source'] : [];
  const data = { random_bytes: random(bytes).toString(encoding) };
  return warnings.length === 0 ? { data } : { data, warnings };
}

/** Of the path, or of the body. */
function byteCount(fields: Fields): number {
  const inPath = textOf(fields, 'count');
  if (inPath === '') return numberOf(fields, 'bytes', 32);
  if (!/^[-+]?\d{1,15}$/.test(inPath))
    throw refuse(
      `error parsing url-set byte count: strconv.Atoi: parsing ${JSON.stringify(inPath)}: invalid syntax`,
    );
  return Number(inPath);
}

/** @param quoted how upstream shows a wrong one. @throws Refusal 400 */
function encodingOf(
  fields: Fields,
  otherwise: 'hex' | 'base64',
  quoted: (text: string) => string,
): 'hex' | 'base64' {
  const format = textOf(fields, 'format', otherwise);
  if (format === 'hex' || format === 'base64') return format;
  throw refuse(`unsupported encoding format ${quoted(format)}; must be "hex" or "base64"`);
}
