import { messageOf } from '../../../lib/errors.ts';
import { type Certificate, parseCertificate } from '../../../x509/certificate.ts';
import { type KeyPair, parsePrivateKey } from '../../../x509/keys.ts';
import { type PemBlock, pemBlocks, toPem } from '../../../x509/pem.ts';
import type { Context, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { markRevocations } from './crl-keeper.ts';
import { noUrlsWarning, withWarnings } from './format.ts';
import { importIssuer, importKey } from './issuers.ts';
import { putIssuersConfig, readIssuersConfig, readUrls } from './store.ts';
import { hasUrls } from './usages.ts';

/** CA certificates and keys from elsewhere. Only `bundle` and `config/ca` take keys. */
export function importRoutes(): Route[] {
  const fields = { pem_bundle: 'string', certificate: 'string' } as const;
  const route = (path: string, keysAllowed: boolean): Route => ({
    path,
    fields,
    operations: { update: (context) => importBundle(context, keysAllowed) },
  });
  return [
    route('issuers/import/bundle', true),
    route('config/ca', true),
    route('issuers/import/cert', false),
    route('intermediate/set-signed', false),
  ];
}

function bundleOf({ fields }: Context): { readonly pem: string; readonly isCertificate: boolean } {
  const bundle = textOf(fields, 'pem_bundle');
  const certificate = textOf(fields, 'certificate');
  if (bundle === '' && certificate === '')
    throw refuse("'pem_bundle' and 'certificate' parameters were empty");
  if (bundle !== '' && certificate !== '') {
    throw refuse("'pem_bundle' and 'certificate' parameters were both provided");
  }
  const pem = bundle + certificate;
  if (pem.length < 75) {
    throw refuse(
      'provided data for import was too short; perhaps a path was passed to the API rather than the contents of a PEM file',
    );
  }
  return { pem, isCertificate: certificate !== '' };
}

function importBundle(context: Context, keysAllowed: boolean): Result {
  const { pem, isCertificate } = bundleOf(context);
  const { keys, certificates } = sorted(pem);
  if (keys.length > 0 && (!keysAllowed || isCertificate)) {
    throw refuse(
      'private keys found in the PEM bundle but not allowed by the path; use /issuers/import/bundle',
    );
  }
  // All is read before anything is kept.
  const pairs = keys.map(readKeyBlock);
  const parsed = certificates.map(readCaBlock);
  const importedKeys = pairs.map((pair) => importKey(context, pair, ''));
  const imported = parsed.map((certificate) => importIssuer(context, certificate, ''));
  const issuers = imported.map(({ issuer, isNew }) => ({ id: issuer.id, keyId: issuer.keyId, isNew }));
  const fresh = issuers.filter(({ isNew }) => isNew);
  if (fresh.length > 0) markRevocations(context.store);
  const warnings = [
    ...followLatest(
      context,
      fresh.filter(({ keyId }) => keyId !== '').map(({ id }) => id),
    ),
    ...(hasUrls(readUrls(context.store)) ? [] : [noUrlsWarning]),
  ];
  const ids = <T extends { readonly isNew: boolean }>(
    all: readonly T[],
    isNew: boolean,
    id: (one: T) => string,
  ) => {
    const found = all.filter((one) => one.isNew === isNew).map(id);
    return found.length === 0 ? null : found;
  };
  const data = {
    mapping: Object.fromEntries(issuers.map(({ id, keyId }) => [id, keyId])),
    imported_keys: ids(importedKeys, true, ({ key }) => key.id),
    existing_keys: ids(importedKeys, false, ({ key }) => key.id),
    imported_issuers: ids(issuers, true, ({ id }) => id),
    existing_issuers: ids(issuers, false, ({ id }) => id),
  };
  return { data, ...withWarnings(warnings) };
}

function followLatest({ store }: Context, withKeys: readonly string[]): string[] {
  const config = readIssuersConfig(store);
  const [only] = withKeys;
  if (!config.default_follows_latest_issuer || only === undefined) return [];
  if (withKeys.length > 1) {
    return [
      'Default issuer left unchanged: could not select new issuer automatically as multiple imported issuers had key material in Vault.',
    ];
  }
  putIssuersConfig(store, { ...config, default: only });
  return [];
}

function sorted(pem: string): { readonly keys: PemBlock[]; readonly certificates: PemBlock[] } {
  let blocks: PemBlock[];
  try {
    blocks = pemBlocks(pem);
  } catch {
    blocks = [];
  }
  if (blocks.length === 0) throw refuse('error when parsing block 1: invalid PEM data');
  const isCertificate = ({ label }: PemBlock): boolean => /^(X509 )?CERTIFICATE$/.test(label);
  const ignored = /^(X509 )?CRL$|^EC PARAM(ETER)?S$/;
  return {
    certificates: blocks.filter(isCertificate),
    keys: blocks.filter((block) => !isCertificate(block) && !ignored.test(block.label)),
  };
}

function readKeyBlock({ label, der, hasHeaders }: PemBlock, i: number): KeyPair {
  try {
    if (hasHeaders) throw new Error('the private key is encrypted');
    return parsePrivateKey(toPem(label, der));
  } catch (error) {
    throw refuse(`Error parsing key ${i}: ${messageOf(error)}`);
  }
}

function readCaBlock({ der }: PemBlock, i: number): Certificate {
  let certificate: Certificate;
  try {
    certificate = parseCertificate(der);
  } catch (error) {
    throw refuse(`Error parsing issuer ${i}: ${messageOf(error)}`);
  }
  if (certificate.isCa) return certificate;
  throw refuse(`Error parsing issuer ${i}: Refusing to import non-CA certificate\n${certificate.pem}`);
}
