import { MeshrootError } from '../../lib/errors.ts';
import { Secret } from '../../lib/secret.ts';
import type { VaultAccess } from '../vault-access.ts';

/**
 * Opens a wrapped secret id. Where it was made is asked first: a token that wraps something else was put there by
 * somebody else.
 * @param wrapping the wrapping token
 * @param path where secret ids of the role are made, `auth/approle/role/NAME/secret-id`
 * @throws MeshrootError `secret-id-stolen` when the token is used up or was made elsewhere
 */
export async function unwrappedSecretId(
  wrapping: Secret<string>,
  path: string,
  access: VaultAccess,
): Promise<Secret<string>> {
  const client = access.client(wrapping);
  const looked = await client.request('PUT', 'sys/wrapping/lookup', { token: wrapping.reveal() });
  if (looked.status === 400 || looked.status === 403)
    throw stolen('the wrapping token of the secret id is used up, expired or not one');
  const { data: made } = (looked.body ?? {}) as { data?: { creation_path?: string } };
  if (looked.status !== 200 || made === undefined)
    throw new MeshrootError('auth-file', `the wrapping token could not be looked up: ${looked.status}`, {
      exit: 1,
    });
  if (made.creation_path !== path)
    throw stolen(`unexpected wrapping path "${made.creation_path}", expected "${path}"`);
  const opened = await client.write('sys/wrapping/unwrap', {});
  const id = opened?.data?.secret_id;
  if (typeof id !== 'string' || id === '') throw stolen('the wrapping token holds no secret_id');
  return new Secret(id);
}

function stolen(reason: string): MeshrootError {
  return new MeshrootError('secret-id-stolen', reason, {
    exit: 1,
    hint: 'somebody else may have opened it: revoke the secret ids of the role and issue a new one',
  });
}
