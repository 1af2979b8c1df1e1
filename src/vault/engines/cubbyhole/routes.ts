import { exact } from '../../../lib/exact-json.ts';
import { type Backend, type Context, defineBackend } from '../../core/backend.ts';
import type { Fields } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { StorageView } from '../../core/storage.ts';
import { cubbyholePrefix } from '../../core/tokens.ts';

/** A place of its own for each token, gone with it. */
export function createCubbyhole(): Backend {
  return defineBackend({
    type: 'cubbyhole',
    routes: [
      {
        path: '*path',
        exists: (context) => own(context).get(context.path) !== undefined,
        operations: {
          read: (context) => {
            const data = own(context).get<Fields>(context.path);
            return data === undefined ? undefined : { data };
          },
          create: write,
          update: write,
          delete: (context) => {
            own(context).delete(context.path);
            return undefined;
          },
          list: (context) => {
            const { path } = context;
            const keys = own(context).list(path === '' || path.endsWith('/') ? path : `${path}/`);
            return keys.length === 0 ? undefined : { data: { keys } };
          },
        },
      },
    ],
  });
}

function write(context: Context): undefined {
  if (context.path === '') throw refuse('missing path');
  if (Object.keys(context.data).length === 0) throw refuse('missing data fields');
  own(context).put(context.path, exact(context.data));
}

function own({ auth, transaction }: Context): StorageView {
  if (auth === undefined) throw refuse('no token', 403, 'token-missing');
  if (auth.token.type === 'batch') {
    throw refuse("cubbyhole operations are only supported by 'service' type tokens", 400, 'batch-token');
  }
  return transaction.at(cubbyholePrefix(auth.token.key));
}
