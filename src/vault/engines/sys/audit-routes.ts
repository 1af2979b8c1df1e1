import type { Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';

/** Audit devices. Those of the configuration file cannot be changed here. */
export function auditRoutes(): Route[] {
  return [
    {
      path: 'audit',
      sudo: true,
      operations: {
        read: ({ services }) => ({
          data: Object.fromEntries(
            services.audit
              .devices()
              .map(({ path, type, description, options }) => [
                path,
                { path, type, description, options, local: false },
              ]),
          ),
          flatten: true,
        }),
      },
    },
    {
      path: 'audit/*device',
      sudo: true,
      fields: { type: 'string', description: 'string', options: 'texts', local: 'bool' },
      operations: {
        update: async ({ services, transaction, fields, random }) => {
          const device = {
            path: withSlash(textOf(fields, 'device')),
            type: textOf(fields, 'type'),
            description: textOf(fields, 'description'),
            options: (fields.options as Record<string, string> | undefined) ?? {},
          };
          await services.audit.enable(transaction, device, random);
          return undefined;
        },
        delete: ({ services, transaction, fields }) => {
          services.audit.disable(transaction, withSlash(textOf(fields, 'device')));
          return undefined;
        },
      },
    },
    {
      path: 'audit-hash/*device',
      fields: { input: 'string' },
      operations: {
        update: ({ services, fields }) => {
          const path = withSlash(textOf(fields, 'device'));
          if (textOf(fields, 'input') === '') throw refuse('the "input" parameter is empty');
          const hash = services.audit.hash(path, textOf(fields, 'input'));
          if (hash === undefined) throw refuse(`unknown audit backend "${path}"`);
          return { data: { hash }, flatten: true };
        },
      },
    },
  ];
}

const withSlash = (path: string): string => `${path.replace(/^\/+|\/+$/g, '')}/`;
