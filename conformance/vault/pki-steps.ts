import type { Step } from './case.ts';

/** `{{csr_*}}` are requests of the fixtures; `{{mount}}` does not exist, so mounts carry the id of the case. */
export const mounted = (name: string): Step => ({
  method: 'POST',
  path: `sys/mounts/${name}`,
  body: { type: 'pki', config: { max_lease_ttl: '87600h' } },
  status: 204,
});

export const root = (mount: string, more: object = {}): Step => ({
  method: 'POST',
  path: `${mount}/root/generate/internal`,
  body: {
    common_name: 'Root CA',
    organization: 'Istio',
    key_type: 'ec',
    key_bits: 256,
    ttl: '87600h',
    ...more,
  },
  status: 200,
  save: {
    rootPem: 'data.certificate',
    issuer: 'data.issuer_id',
    key: 'data.key_id',
    rootSerial: 'data.serial_number',
  },
});

export const role = (mount: string, name: string, body: object): Step => ({
  method: 'POST',
  path: `${mount}/roles/${name}`,
  body: { key_type: 'ec', key_bits: 256, ...body },
  status: 200,
});

export const begins =
  (text: string) =>
  (value: unknown): boolean =>
    typeof value === 'string' && value.startsWith(text);

export const matches =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && pattern.test(value);

export const isNumber = (value: unknown): boolean => typeof value === 'number' && value > 0;

export const serial = matches(/^([0-9a-f]{2}:){19}[0-9a-f]{2}$/);

export const issue = (path: string, body: object, status: number, more: Partial<Step> = {}): Step => ({
  method: 'POST',
  path,
  body,
  status,
  ...more,
});

export const p = 'pki{{id}}';
