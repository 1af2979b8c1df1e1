import { createHash } from 'node:crypto';
import type { Context, Route } from '../../core/backend.ts';
import { numberOf, textOf } from '../../core/fields.ts';
import { metricsResult } from '../../core/metrics-result.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';

const hashes: Readonly<Record<string, string>> = {
  'sha2-224': 'sha224',
  'sha2-256': 'sha256',
  'sha2-384': 'sha384',
  'sha2-512': 'sha512',
};

/** Metrics, small tools. Sealing is done by the listener, behind `seal` here for who may. */
export function systemRoutes(): Route[] {
  const toolFields = { input: 'string', format: 'string', bytes: 'int' } as const;
  return [
    { path: 'seal', sudo: true, operations: { update: () => undefined } },
    { path: 'step-down', sudo: true, operations: { update: () => undefined } },
    {
      path: 'metrics',
      operations: { read: ({ services, request }) => metricsResult(services.metrics, request) },
    },
    { path: 'tools/hash', fields: toolFields, operations: { update: hash } },
    { path: 'tools/hash/:algorithm', fields: toolFields, operations: { update: hash } },
    { path: 'tools/random', fields: toolFields, operations: { update: randomBytes } },
    { path: 'tools/random/:bytes', fields: toolFields, operations: { update: randomBytes } },
  ];
}

function hash({ fields }: Context): Result {
  const name = textOf(fields, 'algorithm', 'sha2-256');
  const algorithm = Object.hasOwn(hashes, name) ? hashes[name] : undefined;
  if (algorithm === undefined) throw refuse(`unsupported algorithm ${name}`);
  const sum = createHash(algorithm).update(Buffer.from(textOf(fields, 'input'), 'base64'));
  return { data: { sum: sum.digest(textOf(fields, 'format') === 'base64' ? 'base64' : 'hex') } };
}

function randomBytes({ fields, random }: Context): Result {
  const bytes = Number(fields.bytes ?? numberOf(fields, 'bytes', 32));
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > 131_072) {
    throw refuse('"bytes" must be between 1 and 131072');
  }
  const encoding = textOf(fields, 'format') === 'hex' ? 'hex' : 'base64';
  return { data: { random_bytes: random(bytes).toString(encoding) } };
}
