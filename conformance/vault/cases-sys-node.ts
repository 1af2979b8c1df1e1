import type { Case } from './case.ts';
import { ask, read, refused, write } from './steps.ts';

const headers = 'sys/config/auditing/request-headers';
const none = 'no backed-up keys found';

/** What concerns the one node: its machine, its log of calls, its key ceremonies. */
export const sysNodeCases: readonly Case[] = [
  {
    name: 'sys: the headers that the audit log shows',
    steps: [
      ask('GET', `${headers}/x-{{id}}`, undefined, {
        status: 400,
        errors: ['Could not find header in config'],
      }),
      write(`${headers}/X-{{id}}`, { hmac: true }),
      write(`${headers}/y-{{id}}`, {}),
      read(
        `${headers}/X-{{id}}`,
        { 'X-{{id}}': { hmac: true } },
        { body_has: { 'X-{{id}}': { hmac: true } } },
      ),
      ask('GET', headers, undefined, {
        body_has: {
          headers: { 'x-{{id}}': { hmac: true } },
          data: { headers: { 'y-{{id}}': { hmac: false } } },
        },
      }),
      ask('DELETE', `${headers}/X-{{id}}`),
      ask('DELETE', `${headers}/x-{{id}}`),
      ask('DELETE', `${headers}/y-{{id}}`),
      ask('GET', headers, undefined, { body_has: { data: { headers: { 'x-{{id}}': undefined } } } }),
    ],
  },
  {
    name: 'sys: the machine below',
    steps: [
      read('sys/host-info', {
        disk: (disks: unknown) =>
          Array.isArray(disks) &&
          disks.every(({ path, total, free }) => typeof path === 'string' && total >= free),
        memory: { total: (bytes: unknown) => Number(bytes) > 0 },
      }),
    ],
  },
  {
    name: 'sys: what belongs to other seals',
    steps: [
      ...(
        [
          [{ recovery_shares: 1 }, 'recovery_shares'],
          [{ recovery_threshold: 1 }, 'recovery_threshold'],
          [{ recovery_pgp_keys: ['x'] }, 'recovery_pgp_keys'],
        ] as const
      ).map(([body, name]) =>
        refused('sys/init', body, 400, `parameters ${name} not applicable to seal type shamir`),
      ),
      refused('sys/init', { secret_shares: 1, secret_threshold: 1 }, 400, 'Vault is already initialized'),
      refused(
        'sys/rotate/recovery/init',
        { secret_shares: 1, secret_threshold: 1 },
        400,
        'recovery keys not supported',
      ),
      ask('DELETE', 'sys/rotate/recovery/init'),
      ask('GET', 'sys/rotate/recovery/backup', undefined, { status: 400, errors: [none] }),
      ask('GET', 'sys/rotate/root/backup', undefined, { status: 400, errors: [none] }),
      ask('GET', 'sys/rekey/recovery-key-backup', undefined, { status: 400, errors: [none] }),
    ],
  },
  {
    name: 'sys: keys for OpenPGP are refused, not given out in clear',
    skip: { openbao: 'it has OpenPGP' },
    steps: [
      refused(
        'sys/generate-root-token/attempt',
        { pgp_key: 'x' },
        400,
        'pgp_key is not offered by this server: it has no OpenPGP',
      ),
      refused(
        'sys/rotate/root/init',
        { secret_shares: 1, secret_threshold: 1, pgp_keys: 'x' },
        400,
        'pgp_keys is not offered by this server: it has no OpenPGP',
      ),
    ],
  },
  {
    name: 'sys: small tools say what is wrong',
    steps: [
      refused('sys/tools/random/0', {}, 400, "'bytes' cannot be less than 1"),
      refused('sys/tools/random/131073', {}, 400, "'bytes' should be less than 131072"),
      refused(
        'sys/tools/random/x',
        {},
        400,
        'error parsing url-set byte count: strconv.Atoi: parsing "x": invalid syntax',
      ),
      refused(
        'sys/tools/random',
        { format: 'zz' },
        400,
        'unsupported encoding format "zz"; must be "hex" or "base64"',
      ),
      refused(
        'sys/tools/hash',
        { input: 'YQ==', format: 'zz' },
        400,
        'unsupported encoding format zz; must be "hex" or "base64"',
      ),
      refused('sys/tools/hash/zz', { input: 'YQ==' }, 400, 'unsupported algorithm zz'),
      ask(
        'POST',
        'sys/tools/hash',
        { input: '!!' },
        {
          status: 400,
          body_has: {
            errors: ([text]: readonly string[]) => text?.startsWith('unable to decode input as base64: '),
          },
        },
      ),
      write(
        'sys/tools/hash/sha3-256',
        { input: 'YQ==' },
        {
          status: 200,
          body_has: { data: { sum: '80084bf2fba02475726feb2cab2d8215eab14bc6bdd8bfb2c8151257032ecd8b' } },
        },
      ),
    ],
  },
  {
    name: 'sys: edges of single calls',
    steps: [
      ask('GET', 'sys/health?activecode=x', undefined, { as: 'none', status: 400, errors: [] }),
      refused('sys/capabilities-accessor', { paths: 'a' }, 400, 'missing accessor'),
      ask(
        'PUT',
        'sys/leases/revoke-prefix/none{{id}}',
        { sync: false },
        { status: 202, body_has: { data: undefined } },
      ),
      refused(
        'sys/policies/acl/r{{id}}',
        { rules: 'path "a" {}' },
        400,
        "'policy' parameter not supplied or empty",
      ),
    ],
  },
];
