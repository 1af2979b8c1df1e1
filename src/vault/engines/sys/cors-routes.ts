import type { Context, Route } from '../../core/backend.ts';
import { corsPath } from '../../core/cors.ts';
import { listOf } from '../../core/fields.ts';
import { refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';

/** Which web pages may call this server. */
export function corsRoutes(): Route[] {
  return [
    {
      path: 'config/cors',
      sudo: true,
      fields: { enable: 'bool', enabled: 'bool', allowed_origins: 'list', allowed_headers: 'list' },
      operations: { read, update: write, delete: remove },
    },
  ];
}

function read({ services: { cors } }: Context): Result {
  const { config } = cors;
  if (config === undefined) return { data: { enabled: false }, flatten: true };
  const { allowed_origins } = config;
  return { data: { enabled: true, allowed_origins, allowed_headers: cors.allowedHeaders }, flatten: true };
}

function write({ services, transaction, fields }: Context): undefined {
  const origins = listOf(fields, 'allowed_origins');
  if (origins.length === 0)
    throw refuseWrapped('at least one origin or the wildcard must be provided', 500, 'bad-cors');
  if (origins.length > 1 && origins.includes('*')) {
    const text = "to allow all origins the '*' must be the only value for allowed_origins";
    throw refuseWrapped(text, 500, 'bad-cors'); // upstream's status
  }
  const config = { allowed_origins: origins, allowed_headers: listOf(fields, 'allowed_headers') };
  transaction.put(corsPath, config);
  transaction.afterCommit(() => {
    services.cors.config = config;
  });
}

function remove({ services, transaction }: Context): undefined {
  transaction.delete(corsPath);
  transaction.afterCommit(() => {
    services.cors.config = undefined;
  });
}
