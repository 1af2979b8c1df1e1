import type { Schema } from '../../core/fields.ts';
import { nameSchema } from './issue-routes.ts';

/** Fields of a CA certificate: of a root, of an intermediate that is signed, of a request for one. */
export const caSchema: Schema = {
  ...nameSchema,
  organization: 'list',
  ou: 'list',
  country: 'list',
  locality: 'list',
  province: 'list',
  street_address: 'list',
  postal_code: 'list',
  not_before_duration: 'seconds',
  signature_bits: 'int',
  use_pss: 'bool',
  key_usage: 'list',
  max_path_length: 'int',
  permitted_dns_domains: 'list',
};

export const generateSchema: Schema = {
  ...caSchema,
  key_type: 'string',
  key_bits: 'int',
  key_ref: 'string',
  key_name: 'string',
  issuer_name: 'string',
  add_basic_constraints: 'bool',
};
