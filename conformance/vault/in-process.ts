import { randomUUID } from 'node:crypto';
import { toJson } from '../../src/lib/exact-json.ts';
import { parseFields, readKind } from '../../src/server/vault-request.ts';
import { wrapTtlOf } from '../../src/server/wrap-ttl.ts';
import { handleLifecycle } from '../../src/vault/core/lifecycle.ts';
import { Refusal } from '../../src/vault/core/refusal.ts';
import type { Operation, Reply, VaultRequest } from '../../src/vault/core/request.ts';
import type { VaultCore } from '../../src/vault/core/vault-core.ts';
import type { Answer, Ask } from './over-http.ts';

const operations: Readonly<Record<string, Operation>> = {
  PUT: 'update',
  POST: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
  LIST: 'list',
};

/**
 * Calls the core without a socket; path hygiene is the listener's, so that those cases are answered here as it does.
 * @param shown what a TLS client would show of itself, DER, leaf first
 */
export function inProcess(core: VaultCore, shown: readonly Buffer[] = []): Ask {
  return async (method, path, headers, body) => {
    const [bare = '', query = ''] = path.split('?');
    if (decodeURIComponent(bare).includes('..'))
      return { status: 400, body: { errors: ['relative paths not supported'] } };
    try {
      const asked = new URLSearchParams(query);
      const operation = method === 'GET' ? readKind(asked) : (operations[method] ?? 'read');
      const request: VaultRequest = {
        id: randomUUID(),
        operation,
        path: operation === 'list' || operation === 'scan' ? `${bare.replace(/\/$/, '')}/` : bare,
        token: headers['X-Vault-Token'],
        data: parseFields(operation, asked, Buffer.from(body ?? ''), headers['Content-Type'] ?? ''),
        wrapTtl: wrapTtlOf(headers['X-Vault-Wrap-TTL'] ?? '0') || undefined,
        headers,
        remoteAddress: '127.0.0.1',
        remotePort: 1,
        peerCertificates: () => shown,
      };
      return answerOf((await handleLifecycle(core, request, Date.now())) ?? (await core.handle(request)));
    } catch (error) {
      if (error instanceof Refusal) return { status: error.status ?? 500, body: { errors: error.errors } };
      throw error;
    }
  };
}

function answerOf({ status, body, raw }: Reply): Answer {
  const text = toJson(body ?? null);
  return { status, text, body: raw === undefined ? (JSON.parse(text) ?? undefined) : String(raw.body) };
}
