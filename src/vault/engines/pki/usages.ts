import { perObject } from '../../../lib/per-object.ts';
import {
  authorityInformation,
  certificatePolicies,
  crlDistributionPoints,
  freshestCrl,
} from '../../../x509/access-extensions.ts';
import { basicConstraints, extendedKeyUsage, keyUsage } from '../../../x509/extensions.ts';
import { type KeyUsage, keyUsages, purposeOids } from '../../../x509/oids.ts';
import { refuseWrapped } from '../../core/refusal.ts';
import type { StorageView } from '../../core/storage.ts';
import type { Role } from './role.ts';
import { type AccessUrls, readCluster, readUrls, type StoredIssuer } from './store.ts';

/** The API's words that differ from X.509's. */
const usageNames: Readonly<Record<string, KeyUsage>> = {
  contentcommitment: 'nonRepudiation',
  certsign: 'keyCertSign',
  crlsign: 'cRLSign',
};

const morePurposes: Readonly<Record<string, string>> = {
  ipsecendsystem: '1.3.6.1.5.5.7.3.5',
  ipsectunnel: '1.3.6.1.5.5.7.3.6',
  ipsecuser: '1.3.6.1.5.5.7.3.7',
  microsoftservergatedcrypto: '1.3.6.1.4.1.311.10.3.3',
  netscapeservergatedcrypto: '2.16.840.1.113730.4.1',
};

/** Key usages by the API's names; unknown ones are left out, as upstream does. */
export function usagesOf(names: readonly string[]): KeyUsage[] {
  return names.flatMap((name) => {
    const lower = name.trim().toLowerCase();
    return usageNames[lower] ?? keyUsages.find((usage) => usage.toLowerCase() === lower) ?? [];
  });
}

export function purposesOf(names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const lower = name.trim().toLowerCase();
    const known = Object.keys(purposeOids).find((purpose) => purpose.toLowerCase() === lower);
    return known ?? morePurposes[lower] ?? [];
  });
}

/** What every leaf of a role has in common, encoded once per stored role. */
export interface RoleExtensions {
  readonly usage: readonly Buffer[];
  readonly constraints: readonly Buffer[];
  readonly policies: readonly Buffer[];
}

export const roleExtensions = perObject((role: Role): RoleExtensions => {
  const usages = usagesOf(role.key_usage);
  const purposes = new Set([
    ...(role.server_flag ? ['serverAuth'] : []),
    ...(role.client_flag ? ['clientAuth'] : []),
    ...(role.code_signing_flag ? ['codeSigning'] : []),
    ...(role.email_protection_flag ? ['emailProtection'] : []),
    ...purposesOf(role.ext_key_usage),
    ...role.ext_key_usage_oids,
  ]);
  return {
    usage: [
      ...(usages.length === 0 ? [] : [keyUsage(...usages)]),
      ...(purposes.size === 0 ? [] : [extendedKeyUsage(...purposes)]),
    ],
    constraints: role.basic_constraints_valid_for_non_ca ? [basicConstraints(false)] : [],
    policies: role.policy_identifiers.length === 0 ? [] : [certificatePolicies(role.policy_identifiers)],
  };
});

export interface UrlExtensions {
  readonly access: readonly Buffer[];
  readonly points: readonly Buffer[];
}

/** The URLs of an issuer, else those of the mount. Without an issuer (a root in the making) the mount's. */
export function urlsFor(store: StorageView, issuer: StoredIssuer | undefined): AccessUrls {
  return issuer?.urls ?? readUrls(store);
}

/** @throws Refusal 500 for a template that cannot be filled in */
export function urlExtensions(store: StorageView, issuer: StoredIssuer | undefined): UrlExtensions {
  const urls = urlsFor(store, issuer);
  return encodeUrls(filledIn(store, urls, issuer));
}

const encodeUrls = perObject((urls: AccessUrls): UrlExtensions => {
  const { issuing_certificates: issuers, crl_distribution_points: lists, ocsp_servers: ocsp } = urls;
  const deltas = urls.delta_crl_distribution_points;
  return {
    access: issuers.length + ocsp.length === 0 ? [] : [authorityInformation(issuers, ocsp)],
    points: [
      ...(lists.length === 0 ? [] : [crlDistributionPoints(lists)]),
      ...(deltas.length === 0 ? [] : [freshestCrl(deltas)]),
    ],
  };
});

/** `{{issuer_id}}`, `{{cluster_path}}` and `{{cluster_aia_path}}` replaced. @throws Refusal 500 */
export function filledIn(store: StorageView, urls: AccessUrls, issuer: StoredIssuer | undefined): AccessUrls {
  if (!urls.enable_templating) return urls;
  const cluster = readCluster(store);
  const values: Readonly<Record<string, string>> = {
    issuer_id: issuer?.id ?? '',
    cluster_path: cluster.path,
    cluster_aia_path: cluster.aia_path,
  };
  const fill = (texts: readonly string[]): string[] => texts.map((text) => fillText(text, values));
  return {
    issuing_certificates: fill(urls.issuing_certificates),
    crl_distribution_points: fill(urls.crl_distribution_points),
    delta_crl_distribution_points: fill(urls.delta_crl_distribution_points),
    ocsp_servers: fill(urls.ocsp_servers),
    enable_templating: false,
  };
}

function fillText(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{(issuer_id|cluster_path|cluster_aia_path)\}\}/g, (_, name: string) => {
    const value = values[name] ?? '';
    if (value !== '') return value;
    throw refuseWrapped(
      `unable to fetch AIA URL information: unable to template AIA URLs as ${name} is not known`,
      500,
      'pki-urls',
    );
  });
}

export const hasUrls = (urls: AccessUrls): boolean =>
  urls.issuing_certificates.length + urls.crl_distribution_points.length + urls.ocsp_servers.length > 0;
