import { type Case, type Expected, type Step, wrapped } from './case.ts';

const mount = (version?: string): Step => ({
  method: 'POST',
  path: 'sys/mounts/k{{id}}',
  body: { type: 'kv', ...(version === undefined ? {} : { options: { version } }) },
  status: 204,
});

const meta = (body: object, text: string): Step => ({
  method: 'POST',
  path: 'kvm{{id}}/metadata/a',
  body: { custom_metadata: body },
  status: 400,
  errors: [wrapped(`custom_metadata validation failed: ${text}`)],
});

const digits = String.raw`{"n":12345678901234567890,"price":1.10,"list":[1.0,-0,{"e":1e3}],"half":"\ud800#1.10"}`;

const listed = (path: string, keys: readonly string[]): Step => ({
  method: 'LIST',
  path,
  status: 200,
  body_has: { data: { keys } },
});
const mismatch = 'metadata check-and-set parameter does not match the current version';
const metadata = (body: object): Step => ({ method: 'POST', path: 'k{{id}}/metadata/a', body, status: 204 });
const casRefused = (body: object, text: string): Step => ({ ...metadata(body), status: 400, errors: [text] });
const seen = (version: number, isRequired: boolean): Expected => ({
  data: { current_metadata_version: version, metadata_cas_required: isRequired },
});

export const kvCases: readonly Case[] = [
  {
    name: 'KV v2: custom metadata has its limits, is patched key by key, and is listed in detail',
    steps: [
      {
        method: 'POST',
        path: 'sys/mounts/kvm{{id}}',
        body: { type: 'kv', options: { version: '2' } },
        status: 204,
      },
      // The engine makes itself ready in the background upstream.
      { method: 'POST', path: 'kvm{{id}}/data/a', after: 1000, body: { data: { x: 1 } }, status: 200 },
      meta(
        { ['k'.repeat(129)]: 'x' },
        `length of key "${'k'.repeat(129)}" is 129 but must be 0 < len(key) <= 128`,
      ),
      meta({ k: 'x'.repeat(513) }, 'length of value for key "k" is 513 but must be 0 < len(value) <= 512'),
      meta(
        Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, 'x'])),
        'payload must contain at most 64 keys, provided 65',
      ),
      {
        method: 'POST',
        path: 'kvm{{id}}/metadata/a',
        body: { custom_metadata: { a: 'b', c: 'd' } },
        status: 204,
      },
      {
        method: 'PATCH',
        path: 'kvm{{id}}/metadata/a',
        body: { custom_metadata: { a: null, e: 'f' }, cas_required: true },
        status: 204,
      },
      {
        method: 'LIST',
        path: 'kvm{{id}}/detailed-metadata/',
        status: 200,
        body_has: {
          data: {
            keys: ['a'],
            key_info: { a: { custom_metadata: { c: 'd', e: 'f' }, cas_required: true, current_version: 1 } },
          },
        },
      },
    ],
  },
  {
    name: 'kv 1: values keep their types, `ttl` sets the lease, lists are sorted',
    steps: [
      mount(),
      { method: 'PUT', path: 'k{{id}}/a', body: { n: 1, o: { p: [true, null] }, ttl: '10s' }, status: 204 },
      {
        method: 'GET',
        path: 'k{{id}}/a',
        status: 200,
        body_has: { lease_duration: 10, data: { n: 1, o: { p: [true, null] } } },
      },
      { method: 'PUT', path: 'k{{id}}/b/c', body: { x: 'y' }, status: 204 },
      { method: 'LIST', path: 'k{{id}}', status: 200, body_has: { data: { keys: ['a', 'b/'] } } },
      { method: 'DELETE', path: 'k{{id}}/a', status: 204 },
      { method: 'DELETE', path: 'k{{id}}/a', status: 204 },
      { method: 'GET', path: 'k{{id}}/a', status: 404, errors: [] },
      { method: 'LIST', path: 'k{{id}}/none', status: 404, errors: [] },
      { method: 'PUT', path: 'k{{id}}/a', body: {}, status: 400, errors: ['missing data fields'] },
      {
        method: 'PUT',
        path: 'k{{id}}/a/',
        body: { a: 'b' },
        status: 400,
        errors: ["cannot write to a path ending in '/'"],
      },
    ],
  },
  {
    name: 'kv 2: versions, check-and-set, soft deletion, destruction',
    steps: [
      mount('2'),
      {
        method: 'PUT',
        path: 'k{{id}}/data/a',
        body: { data: { v: '1' }, options: {} },
        status: 200,
        body_has: { data: { version: 1, deletion_time: '', destroyed: false, custom_metadata: null } },
      },
      {
        method: 'PUT',
        path: 'k{{id}}/data/a',
        body: { data: { v: '2' }, options: { cas: 1 } },
        status: 200,
        body_has: { data: { version: 2 } },
      },
      {
        method: 'PUT',
        path: 'k{{id}}/data/a',
        body: { data: { v: '3' }, options: { cas: 1 } },
        status: 400,
        errors: ['check-and-set parameter did not match the current version'],
      },
      {
        method: 'GET',
        path: 'k{{id}}/data/a',
        status: 200,
        body_has: { lease_duration: 0, data: { data: { v: '2' }, metadata: { version: 2 } } },
      },
      {
        method: 'GET',
        path: 'k{{id}}/data/a?version=1',
        status: 200,
        body_has: { data: { data: { v: '1' }, metadata: { version: 1 } } },
      },
      {
        method: 'PATCH',
        path: 'k{{id}}/data/a',
        body: { data: { w: 'x', v: null } },
        status: 200,
        body_has: { data: { version: 3 } },
      },
      { method: 'GET', path: 'k{{id}}/data/a', status: 200, body_has: { data: { data: { w: 'x' } } } },
      { method: 'DELETE', path: 'k{{id}}/data/a', status: 204 },
      {
        method: 'GET',
        path: 'k{{id}}/data/a',
        status: 404,
        body_has: { data: { data: null, metadata: { version: 3, destroyed: false } } },
      },
      { method: 'PUT', path: 'k{{id}}/undelete/a', body: { versions: ['3'] }, status: 204 },
      { method: 'GET', path: 'k{{id}}/data/a', status: 200 },
      { method: 'PUT', path: 'k{{id}}/destroy/a', body: { versions: [3] }, status: 204 },
      {
        method: 'GET',
        path: 'k{{id}}/data/a',
        status: 404,
        body_has: { data: { data: null, metadata: { destroyed: true } } },
      },
      {
        method: 'PUT',
        path: 'k{{id}}/undelete/a',
        body: {},
        status: 400,
        errors: ['No version number provided'],
      },
      {
        method: 'PUT',
        path: 'k{{id}}/destroy/a',
        body: {},
        status: 400,
        errors: ['no version number provided'],
      },
      {
        method: 'GET',
        path: 'k{{id}}/metadata/a',
        status: 200,
        body_has: {
          data: {
            current_version: 3,
            oldest_version: 0,
            max_versions: 0,
            cas_required: false,
            delete_version_after: '0s',
          },
        },
      },
      { method: 'LIST', path: 'k{{id}}/metadata', status: 200, body_has: { data: { keys: ['a'] } } },
      { method: 'DELETE', path: 'k{{id}}/metadata/a', status: 204 },
      { method: 'GET', path: 'k{{id}}/data/a', status: 404, errors: [] },
      { method: 'PUT', path: 'k{{id}}/data/b', body: {}, status: 400, errors: ['no data provided'] },
      { method: 'PUT', path: 'k{{id}}/data/b', body: { data: { a: 'b' }, options: { cas: 0 } }, status: 200 },
      { method: 'PUT', path: 'k{{id}}/data/b', body: { data: { a: 'b' }, options: { cas: 0 } }, status: 400 },
    ],
  },
  {
    name: 'kv 2: required check-and-set and custom metadata',
    steps: [
      mount('2'),
      {
        method: 'PUT',
        path: 'k{{id}}/metadata/a',
        body: { cas_required: true, custom_metadata: { owner: 'me' } },
        status: 204,
      },
      {
        method: 'PUT',
        path: 'k{{id}}/data/a',
        body: { data: { v: '1' } },
        status: 400,
        errors: ['check-and-set parameter required for this call'],
      },
      {
        method: 'PUT',
        path: 'k{{id}}/data/a',
        body: { data: { v: '1' }, options: { cas: 0 } },
        status: 200,
        body_has: { data: { custom_metadata: { owner: 'me' } } },
      },
      {
        method: 'POST',
        path: 'k{{id}}/config',
        body: { max_versions: 3, delete_version_after: '3h' },
        status: 204,
      },
      {
        method: 'GET',
        path: 'k{{id}}/config',
        status: 200,
        body_has: { data: { max_versions: 3, delete_version_after: '3h0m0s', cas_required: false } },
      },
    ],
  },
  {
    name: 'kv 1: a number keeps its digits, also through wrapping',
    steps: [
      mount(),
      { method: 'PUT', path: 'k{{id}}/a', body: digits, status: 204 },
      { method: 'GET', path: 'k{{id}}/a', status: 200, text_has: '"n":12345678901234567890' },
      { method: 'GET', path: 'k{{id}}/a', status: 200, text_has: '"price":1.10' },
      { method: 'GET', path: 'k{{id}}/a', status: 200, text_has: '"list":[1.0,-0,{"e":1e3}]' },
      { method: 'GET', path: 'k{{id}}/a', status: 200, text_has: '"half":"\ufffd#1.10"' },
      {
        method: 'GET',
        path: 'k{{id}}/a',
        headers: { 'X-Vault-Wrap-TTL': '60' },
        status: 200,
        save: { wrapping: 'wrap_info.token' },
      },
      {
        method: 'POST',
        path: 'sys/wrapping/unwrap',
        body: { token: '{{wrapping}}' },
        status: 200,
        text_has: '"price":1.10',
      },
      { method: 'PUT', path: 'cubbyhole/k{{id}}', body: digits, status: 204 },
      { method: 'GET', path: 'cubbyhole/k{{id}}', status: 200, text_has: '"n":12345678901234567890' },
      { method: 'DELETE', path: 'cubbyhole/k{{id}}', status: 204 },
      { method: 'PUT', path: 'k{{id}}/b', body: '{"a":1e400}', status: 400 },
      { method: 'PUT', path: 'k{{id}}/c', body: '{"ttl":1.5}', status: 204 },
      { method: 'GET', path: 'k{{id}}/c', status: 200, body_has: { lease_duration: 2764800 } },
    ],
  },
  {
    name: 'kv 2: a list in parts, behind a name and of a length',
    steps: [
      mount('2'),
      ...['a', 'b', 'c/d', 'e'].map(
        (name): Step => ({
          method: 'PUT',
          path: `k{{id}}/data/${name}`,
          body: { data: { x: 1 } },
          status: 200,
        }),
      ),
      listed('k{{id}}/metadata?after=a&limit=2', ['b', 'c/']),
      listed('k{{id}}/metadata?after=b', ['c/', 'e']),
      listed('k{{id}}/metadata?limit=1', ['a']),
      listed('k{{id}}/metadata?limit=-1', ['a', 'b', 'c/', 'e']),
      listed('k{{id}}/metadata?after=bb', ['c/', 'e']),
      listed('k{{id}}/detailed-metadata/?after=b', ['c/', 'e']),
      { method: 'LIST', path: 'k{{id}}/metadata?after=e', status: 404, errors: [] },
      { method: 'LIST', path: 'k{{id}}/metadata?limit=x', status: 400 },
    ],
  },
  {
    name: 'kv 2: a number keeps its digits',
    skip: { openbao: 'reads version 2 as 64 bit floating point: 12345678901234567000, 1.1' },
    steps: [
      mount('2'),
      { method: 'PUT', path: 'k{{id}}/data/a', body: `{"data":${digits}}`, status: 200 },
      { method: 'PATCH', path: 'k{{id}}/data/a', body: '{"data":{"more":2.50,"half":null}}', status: 200 },
      { method: 'GET', path: 'k{{id}}/data/a', status: 200, text_has: '"n":12345678901234567890' },
      { method: 'GET', path: 'k{{id}}/data/a', status: 200, text_has: '"price":1.10' },
      { method: 'GET', path: 'k{{id}}/data/a', status: 200, text_has: '"more":2.50' },
      {
        method: 'GET',
        path: 'k{{id}}/subkeys/a',
        status: 200,
        body_has: { data: { subkeys: { n: null, price: null, more: null, list: null } } },
      },
    ],
  },
  {
    name: 'kv 2: check-and-set of the metadata, by the key and by the mount',
    steps: [
      mount('2'),
      { method: 'POST', path: 'k{{id}}/metadata/none', body: {}, status: 204 },
      { method: 'GET', path: 'k{{id}}/metadata/none', status: 404, errors: [] },
      casRefused({ metadata_cas: 1, max_versions: 2 }, 'metadata_cas must be 0 when creating new metadata'),
      metadata({ metadata_cas: 0, max_versions: 2 }),
      { method: 'GET', path: 'k{{id}}/metadata/a', status: 200, body_has: seen(1, false) },
      casRefused({ metadata_cas: 0, max_versions: 2 }, mismatch),
      metadata({ metadata_cas: 1, metadata_cas_required: true }),
      casRefused({ max_versions: 2 }, 'metadata check-and-set parameter required for this call'),
      { ...casRefused({ metadata_cas: 1, max_versions: 2 }, mismatch), method: 'PATCH' },
      {
        ...casRefused({ max_versions: 2 }, 'metadata check-and-set parameter required for this call'),
        method: 'PATCH',
      },
      { ...metadata({ metadata_cas: 2, custom_metadata: { a: 'b' } }), method: 'PATCH' },
      { method: 'GET', path: 'k{{id}}/metadata/a', status: 200, body_has: seen(3, true) },
      { method: 'POST', path: 'k{{id}}/data/a', body: { data: { x: 1 } }, status: 200 },
      { method: 'GET', path: 'k{{id}}/metadata/a', status: 200, body_has: seen(3, true) },
      { method: 'POST', path: 'k{{id}}/data/b', body: { data: { x: 1 } }, status: 200 },
      { method: 'GET', path: 'k{{id}}/metadata/b', status: 200, body_has: seen(0, false) },
      {
        method: 'POST',
        path: 'k{{id}}/config',
        body: { metadata_cas_required: true, cas_required: true },
        status: 204,
      },
      {
        method: 'GET',
        path: 'k{{id}}/config',
        status: 200,
        body_has: { data: { metadata_cas_required: true, cas_required: true } },
      },
      { method: 'POST', path: 'k{{id}}/metadata/b', body: { max_versions: 2 }, status: 400 },
      {
        method: 'POST',
        path: 'k{{id}}/metadata/b',
        body: { metadata_cas: 0, metadata_cas_required: false, cas_required: false },
        status: 200,
        body_has: {
          data: null,
          warnings: [
            '"cas_required" set to false, but is mandated by backend config. This value will be ignored.',
            '"metadata_cas_required" set to false, but is mandated by backend config. This value will be ignored.',
          ],
        },
      },
    ],
  },
  {
    name: 'pki: a root that stays inside signs an intermediate with path length 0',
    steps: [
      {
        method: 'POST',
        path: 'sys/mounts/k{{id}}',
        body: { type: 'pki', config: { max_lease_ttl: '87600h' } },
        status: 204,
      },
      {
        method: 'POST',
        path: 'k{{id}}/root/generate/internal',
        body: { common_name: 'Root CA', organization: 'Istio', key_type: 'ec', key_bits: 384, ttl: '87600h' },
        status: 200,
        body_has: {
          data: {
            serial_number: (s: unknown) => /^[0-9a-f]{2}(:[0-9a-f]{2})+$/.test(String(s)),
            private_key: undefined,
          },
        },
      },
      {
        method: 'GET',
        path: 'k{{id}}/cert/ca',
        as: 'none',
        status: 200,
        body_has: {
          data: { certificate: (c: unknown) => String(c).startsWith('-----BEGIN CERTIFICATE-----') },
        },
      },
      { method: 'POST', path: 'k{{id}}/root/sign-intermediate', body: { common_name: 'x' }, status: 400 },
    ],
  },
];
