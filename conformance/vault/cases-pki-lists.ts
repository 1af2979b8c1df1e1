import { X509Certificate } from 'node:crypto';
import { parseCrl } from '../../src/x509/crl.ts';
import type { Case, Step } from './case.ts';
import { mounted, p, role, root } from './pki-steps.ts';
import { ask, missing, read, refused, write } from './steps.ts';

type List = ReturnType<typeof parseCrl>;

/** A list in PEM that `judge` is content with. */
const list =
  (judge: (list: List) => boolean) =>
  (text: unknown): boolean =>
    judge(parseCrl(String(text)));
const has = (judge: (list: List) => boolean, more: object = {}): Partial<Step> => ({
  status: 200,
  body_has: { data: { crl: list(judge) }, ...more },
});
const [resign, sign] = ['resign-crls', 'sign-revocation-list'].map((path) => `${p}/issuer/a/${path}`) as [
  string,
  string,
];
const bad = (path: string, body: object, text: string): Step => refused(path, body, 400, text);
const row = (more: object): object => ({
  revoked_certs: [{ serial_number: '01', revocation_time: 1_577_836_800, ...more }],
});
const extended = (more: object): object => ({ extensions: [{ id: '1.2.3', value: '', ...more }] });
const row2 = (serial_number: string, revocation_time: string | number): object => ({
  serial_number,
  revocation_time,
});
const isDer = (text: unknown): boolean => parseCrl(Buffer.from(String(text), 'base64')).revoked.length === 1;
const inEntry = (text: string): string => `failed parsing extension entry 0: ${text}`;
const year = Date.UTC(2020, 0, 1);

/** The issuer of a certificate by its common name. */
const issuedBy = (name: string) => ({
  status: 200,
  body_has: {
    data: {
      certificate: (pem: unknown) => new X509Certificate(String(pem)).issuer === `O=Istio\nCN=${name}`,
    },
  },
});
const named = (name: string): Step => root(p, { common_name: name, issuer_name: name.toLowerCase() });

export const pkiListCases: readonly Case[] = [
  {
    name: 'pki: revocation lists of several stores are merged and signed anew',
    steps: [
      mounted(p),
      named('A'),
      named('B'),
      write(sign, { ...row({}), crl_number: 3 }, { status: 200, save: { one: 'data.crl' } }),
      write(
        sign,
        { revoked_certs: [row2('01', '2021-01-01T00:00:00Z'), row2('aa:bb-01', '2020-01-01T00:00:00Z')] },
        { status: 200, save: { two: 'data.crl' } },
      ),
      write(`${p}/issuer/b/sign-revocation-list`, {}, { status: 200, save: { other: 'data.crl' } }),
      write(
        resign,
        { crls: ['{{one}}', '{{two}}'], crl_number: 7, delta_crl_base_number: 3, next_update: '10h' },
        has(
          ({ number, deltaBase, revoked, thisUpdate, nextUpdate }) =>
            number === 7 &&
            deltaBase === 3 &&
            nextUpdate === thisUpdate + 36_000_000 &&
            revoked.length === 2 &&
            revoked.every(({ serial, time }) => ['01', 'aabb01'].includes(serial) && time === year),
          {
            warnings: [
              'Duplicate serial 01 with different revocation times detected, using oldest revocation time',
            ],
          },
        ),
      ),
      write(
        resign,
        {},
        has(({ revoked, number }) => revoked.length === 0 && number === 0),
      ),
      write(
        resign,
        { crls: ['{{one}}'], format: 'der' },
        { status: 200, body_has: { data: { crl: isDer } } },
      ),
      bad(resign, { crls: ['{{one}}', '{{other}}'] }, 'CRL index: 1 was not signed by requested issuer'),
      bad(resign, { crls: ['x'] }, 'failed decoding crl 0: invalid crl; should be one PEM block only'),
      bad(resign, { next_update: '0s' }, 'next_update parameter must be greater than 0'),
      bad(resign, { next_update: 'x' }, 'invalid value for next_update: time: invalid duration "x"'),
      bad(resign, { crl_number: -1 }, 'crl_number parameter must be 0 or greater'),
      bad(resign, { delta_crl_base_number: -2 }, 'delta_crl_base_number parameter must be -1 or greater'),
      bad(resign, { format: 'foo' }, 'unknown format value of foo'),
      bad(
        `${p}/issuer/x/resign-crls`,
        {},
        'failed to resolve issuer issuer_ref: unable to find PKI issuer for reference: x',
      ),
    ],
  },
  {
    name: 'pki: a revocation list is signed from a table',
    steps: [
      mounted(p),
      named('A'),
      write(
        sign,
        {
          crl_number: 3,
          next_update: '10h',
          revoked_certs: [
            { ...row2('AA:bb-01', '2020-01-01T00:00:00Z'), extensions: [{ id: '2.5.29.21', value: 'CgEB' }] },
            row2('0002', 1_577_836_800),
          ],
          extensions: [{ id: '1.2.3.4', value: 'BQA=' }],
        },
        has(
          ({ number, deltaBase, revoked, der }) =>
            number === 3 &&
            deltaBase === undefined &&
            revoked.map(({ serial }) => serial).join() === 'aabb01,02' &&
            revoked.every(({ time }) => time === year) &&
            ['0603551d1504030a0101', '06032a030404020500'].every((hex) => der.toString('hex').includes(hex)),
        ),
      ),
      write(sign, { extensions: [{ id: '1.2.3.4', critical: true, value: 'BQA=' }] }, { status: 200 }),
      write(
        sign,
        { revoked_certs: 'x' },
        has(({ revoked }) => revoked.length === 0),
      ),
      bad(
        sign,
        row({ serial_number: 'zz' }),
        "failed parsing serial_number from entry 0: 'serial_number' failed converting to bytes: encoding/hex: invalid byte: U+007A 'z'",
      ),
      bad(
        sign,
        { revoked_certs: [{}] },
        "failed parsing serial_number from entry 0: missing 'serial_number' field",
      ),
      bad(
        sign,
        { revoked_certs: [{ serial_number: '01' }] },
        "failed parsing revocation_time from entry 0: missing 'revocation_time' field",
      ),
      bad(
        sign,
        row({ revocation_time: 'x' }),
        'failed parsing revocation_time from entry 0: failed parsing time x: could not parse string as date and time',
      ),
      bad(
        sign,
        row({ extensions: 'x' }),
        "failed parsing extensions from entry 0: 'extensions' field did not contain a slice",
      ),
      bad(
        sign,
        extended({ id: '2.5.29.35' }),
        inEntry('authority key object identifier (2.5.29.35) is reserved'),
      ),
      bad(
        sign,
        extended({ id: '2.5.29.20' }),
        inEntry('crl number object identifier (2.5.29.20) is reserved'),
      ),
      bad(
        sign,
        extended({ id: '2.5.29.27' }),
        inEntry('delta crl object identifier (2.5.29.27) is reserved'),
      ),
      bad(sign, { extensions: [{ value: '' }] }, inEntry('missing id field')),
      bad(sign, extended({ id: '' }), inEntry('zero length object identifier')),
      bad(
        sign,
        extended({ id: '1.x' }),
        inEntry('failed parsing asn1 index element 1 value x: strconv.Atoi: parsing "x": invalid syntax'),
      ),
      bad(sign, { extensions: [{ id: '1.2.3' }] }, inEntry("missing 'value' field")),
      bad(
        sign,
        extended({ value: '!' }),
        inEntry("failed base64 decoding 'value' field: illegal base64 data at input byte 0"),
      ),
      bad(sign, { extensions: ['x'] }, 'extension entry 0 not a map'),
      bad(
        sign,
        { extensions: ['1.2.3', '1.2.3'].map((id) => ({ id, value: '' })) },
        'duplicate extension id: 1.2.3',
      ),
      write(
        `${p}/issuer/a`,
        { issuer_name: 'a', usage: 'read-only' },
        { status: 200, save: { id_a: 'data.issuer_id' } },
      ),
      bad(
        sign,
        {},
        'error while attempting to use issuer {{id_a}}: requested usage crl-signing for issuer [id:{{id_a}} / name:a] but only had usage read-only',
      ),
    ],
  },
  {
    name: 'pki: a list that names a certificate twice is not signed',
    skip: { openbao: 'compares the numbers by their addresses and signs both' },
    steps: [
      mounted(p),
      named('A'),
      bad(
        sign,
        { revoked_certs: [row2('01', 1), row2('01', 2)] },
        'duplicate serial number: 01, original entry 0 and 1',
      ),
    ],
  },
  {
    name: 'pki: which issuer signs is said by the path, by the role, else by the body',
    steps: [
      mounted(p),
      named('A'),
      named('B'),
      role(p, 'r', { allow_any_name: true, issuer_ref: 'b' }),
      write(`${p}/sign/r`, { csr: '{{csr_web}}', issuer_ref: 'a' }, issuedBy('B')),
      write(`${p}/sign-verbatim`, { csr: '{{csr_web}}' }, issuedBy('A')),
      write(`${p}/sign-verbatim`, { csr: '{{csr_web}}', issuer_ref: 'b' }, issuedBy('B')),
      write(`${p}/sign-verbatim/r`, { csr: '{{csr_web}}', issuer_ref: 'a' }, issuedBy('B')),
      write(`${p}/issuer/a/sign-verbatim`, { csr: '{{csr_web}}', issuer_ref: 'b' }, issuedBy('A')),
      write(
        `${p}/root/sign-intermediate`,
        { csr: '{{csr_web}}', common_name: 'I', ttl: '1h', issuer_ref: 'b', ext_key_usage: 'ClientAuth' },
        {
          status: 200,
          body_has: {
            data: {
              certificate: (pem: unknown) => {
                const { issuer, keyUsage } = new X509Certificate(String(pem));
                return issuer === 'O=Istio\nCN=B' && keyUsage.join() === '1.3.6.1.5.5.7.3.2';
              },
            },
          },
        },
      ),
      write(`${p}/root/sign-self-issued`, { certificate: '{{rootPem}}', issuer_ref: 'a' }, issuedBy('A')),
    ],
  },
  {
    name: 'pki: tidying takes the old name for revoked certificates, its configuration does not',
    steps: [
      mounted(p),
      write(`${p}/tidy`, { tidy_revocation_list: true }, { status: 202 }),
      read(`${p}/tidy-status`, { tidy_revoked_certs: true }),
      write(
        `${p}/config/auto-tidy`,
        { enabled: true, tidy_cert_store: true, tidy_revocation_list: true },
        { status: 200 },
      ),
      read(`${p}/config/auto-tidy`, { tidy_cert_store: true, tidy_revoked_certs: false }),
    ],
  },
  {
    name: 'pki: lists of roles and certificates in parts',
    steps: [
      mounted(p),
      named('A'),
      ...['q', 'r', 's'].map((name) => role(p, name, { allow_any_name: true })),
      ask('LIST', `${p}/roles?after=q&limit=1`, undefined, { body_has: { data: { keys: ['r'] } } }),
      ask('LIST', `${p}/roles?after=r`, undefined, { body_has: { data: { keys: ['s'] } } }),
      write(`${p}/issue/r`, { common_name: 'a.example.com', ttl: '1h' }, { status: 200 }),
      ask('LIST', `${p}/certs?limit=1`, undefined, {
        body_has: { data: { keys: (keys: unknown) => Array.isArray(keys) && keys.length === 1 } },
      }),
      missing(`${p}/certs?after=ff:ff`, 'LIST'),
    ],
  },
  {
    name: 'pki: where ACME is off there are no account bindings',
    steps: [mounted(p), missing(`${p}/eab`, 'LIST')],
  },
];
