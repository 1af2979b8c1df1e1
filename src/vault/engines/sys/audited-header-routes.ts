import { AuditedHeaders, type HeaderSettings } from '../../core/audited-headers.ts';
import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';

/** Which headers of requests the audit log shows, in clear or hashed. */
export const auditedHeaderRoutes = (): Route[] => [
  { path: 'config/auditing/request-headers', sudo: true, operations: { read: readAll } },
  {
    path: 'config/auditing/request-headers/:header',
    sudo: true,
    fields: { hmac: 'bool' },
    operations: {
      read,
      update: (context) => change(context, { hmac: booleanOf(context.fields, 'hmac') }),
      delete: (context) => change(context, undefined),
    },
  },
];

const readAll = ({ services }: Context): Result => ({
  data: { headers: services.auditedHeaders.settings },
  flatten: true,
});

function read({ services, fields }: Context): Result {
  const [name, { settings }] = [textOf(fields, 'header'), services.auditedHeaders];
  const found = Object.hasOwn(settings, name.toLowerCase()) ? settings[name.toLowerCase()] : undefined;
  if (found === undefined) throw refuse('Could not find header in config');
  return { data: { [name]: found }, flatten: true };
}

function change(
  { services, transaction, fields }: Context,
  wanted: { hmac: boolean } | undefined,
): undefined {
  const name = textOf(fields, 'header').toLowerCase();
  const { [name]: _before, ...others } = AuditedHeaders.read(transaction);
  const settings: HeaderSettings = wanted === undefined ? others : { ...others, [name]: wanted };
  AuditedHeaders.put(transaction, settings);
  transaction.afterCommit(() => {
    services.auditedHeaders.settings = settings;
  });
}
