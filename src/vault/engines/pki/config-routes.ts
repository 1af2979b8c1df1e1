import { messageOf } from '../../../lib/errors.ts';
import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, listOf, textOf } from '../../core/fields.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { markRevocations } from './crl-keeper.ts';
import { withWarnings } from './format.ts';
import { findIssuer, findKey, noIssuerText, noKeyText } from './issuers.ts';
import { secondsOf } from './seconds.ts';
import {
  type CrlConfig,
  putCluster,
  putCrlConfig,
  putDefaultKeyId,
  putIssuersConfig,
  putUrls,
  readCluster,
  readCrlConfig,
  readDefaultKeyId,
  readIssuersConfig,
  readUrls,
} from './store.ts';

export function configRoutes(): Route[] {
  return [urlsRoute, issuersRoute, keysRoute, clusterRoute, crlRoute, replaceRoute];
}

/** The first that is no URL, or is a template where none is meant. */
export function badUrl(urls: readonly string[]): string | undefined {
  return urls.find((url) => !isUrl(url) || /\{\{(issuer_id|cluster_path|cluster_aia_path)\}\}/.test(url));
}

const isUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\/[^/\s]+[\x21-\x7e]*$/i.test(text);

const urlNames = [
  'issuing_certificates',
  'crl_distribution_points',
  'delta_crl_distribution_points',
  'ocsp_servers',
] as const;

const urlsRoute: Route = {
  path: 'config/urls',
  fields: {
    issuing_certificates: 'list',
    crl_distribution_points: 'list',
    delta_crl_distribution_points: 'list',
    ocsp_servers: 'list',
    enable_templating: 'bool',
  },
  operations: {
    read: ({ store }) => ({ data: { ...readUrls(store) } }),
    update: ({ store, fields }) => {
      const before = readUrls(store);
      const after = {
        ...before,
        enable_templating: booleanOf(fields, 'enable_templating', before.enable_templating),
      };
      for (const name of urlNames) {
        if (name in fields) after[name] = listOf(fields, name);
        const wrong = after.enable_templating ? undefined : badUrl(after[name]);
        if (wrong === undefined) continue;
        throw refuse(`invalid URL found in Authority Information Access (AIA) parameter ${name}: ${wrong}`);
      }
      putUrls(store, after);
      markRevocations(store);
      return { data: after };
    },
  },
};

const noKeyWarning =
  'This selected default issuer has no key associated with it. Some operations like issuing certificates and signing CRLs will be unavailable with the requested default issuer until a key is imported or the default issuer is changed.';

const issuersRoute: Route = {
  path: 'config/issuers',
  fields: { default: 'string', default_follows_latest_issuer: 'bool' },
  operations: {
    read: ({ store }) => ({ data: { ...readIssuersConfig(store) } }),
    update: (context) => chooseIssuer(context, textOf(context.fields, 'default')),
  },
};

/** The second half of a rotation of roots: `next` becomes the default. */
const replaceRoute: Route = {
  path: 'root/replace',
  fields: { default: 'string' },
  operations: { update: (context) => chooseIssuer(context, textOf(context.fields, 'default') || 'next') },
};

function chooseIssuer({ store, fields }: Context, reference: string): Result {
  if (reference === '' || reference === 'default') {
    throw refuse("Invalid issuer specification; must be non-empty and can't be 'default'.");
  }
  const issuer = findIssuer(store, reference);
  if (issuer === undefined) throw refuse(`Error resolving issuer reference: ${noIssuerText(reference)}`);
  const before = readIssuersConfig(store);
  const config = {
    default: issuer.id,
    default_follows_latest_issuer: booleanOf(
      fields,
      'default_follows_latest_issuer',
      before.default_follows_latest_issuer,
    ),
  };
  putIssuersConfig(store, config);
  markRevocations(store);
  return { data: config, ...withWarnings(issuer.keyId === '' ? [noKeyWarning] : []) };
}

const keysRoute: Route = {
  path: 'config/keys',
  fields: { default: 'string' },
  operations: {
    read: ({ store }) => ({ data: { default: readDefaultKeyId(store) } }),
    update: ({ store, fields }) => {
      const reference = textOf(fields, 'default');
      if (reference === '' || reference === 'default') {
        throw refuse("Invalid key specification; must be non-empty and can't be 'default'.");
      }
      const key = findKey(store, reference);
      if (key === undefined) throw refuse(`Error resolving issuer reference: ${noKeyText(reference)}`);
      putDefaultKeyId(store, key.id);
      return { data: { default: key.id } };
    },
  },
};

const clusterRoute: Route = {
  path: 'config/cluster',
  fields: { path: 'string', aia_path: 'string' },
  operations: {
    read: ({ store }) => ({ data: { ...readCluster(store) } }),
    update: ({ store, fields }) => {
      const before = readCluster(store);
      const after = {
        path: textOf(fields, 'path', before.path),
        aia_path: textOf(fields, 'aia_path', before.aia_path),
      };
      for (const name of ['path', 'aia_path'] as const) {
        if (!(name in fields) || isUrl(after[name])) continue;
        const what = name === 'path' ? 'path' : 'aia_path';
        throw refuseWrapped(`invalid, non-URL ${what} given to cluster: ${after[name]}`, 500, 'bad-field');
      }
      putCluster(store, after);
      return { data: after };
    },
  },
};

const durations = ['expiry', 'ocsp_expiry', 'auto_rebuild_grace_period', 'delta_rebuild_interval'] as const;
const switches = [
  'disable',
  'ocsp_disable',
  'auto_rebuild',
  'enable_delta',
  'allow_expired_cert_revocation',
] as const;

const crlRoute: Route = {
  path: 'config/crl',
  fields: {
    ...Object.fromEntries(durations.map((name) => [name, 'string' as const])),
    ...Object.fromEntries(switches.map((name) => [name, 'bool' as const])),
  },
  operations: {
    read: ({ store }) => ({ data: { ...readCrlConfig(store) } }),
    update: ({ store, fields }) => {
      const config = { ...readCrlConfig(store) };
      for (const name of switches) config[name] = booleanOf(fields, name, config[name]);
      for (const name of durations) {
        config[name] = textOf(fields, name, config[name]);
        checkDuration(name, config[name]);
      }
      checkCrlConfig(config);
      putCrlConfig(store, config);
      markRevocations(store);
      return { data: { ...config } };
    },
  },
};

function checkDuration(name: string, value: string): void {
  try {
    if (secondsOf(value) >= 0) return;
  } catch (error) {
    const reason = messageOf(error).endsWith('is not a duration')
      ? `time: invalid duration ${JSON.stringify(value)}`
      : messageOf(error);
    throw refuse(`given ${name} could not be decoded: ${reason}`);
  }
  throw refuse(`${name} must be greater than or equal to 0 got: ${value}`);
}

function checkCrlConfig(config: CrlConfig): void {
  const expiry = secondsOf(config.expiry);
  const { auto_rebuild_grace_period: grace, delta_rebuild_interval: interval } = config;
  if (config.auto_rebuild && secondsOf(grace) >= expiry) {
    throw refuse(
      `CRL auto-rebuilding grace period (${grace}) must be strictly shorter than CRL expiry (${config.expiry}) value when auto-rebuilding of CRLs is enabled`,
    );
  }
  if (config.enable_delta && secondsOf(interval) >= expiry) {
    throw refuse(
      `CRL delta rebuild window (${interval}) must be strictly shorter than CRL expiry (${config.expiry}) value when delta CRLs are enabled`,
    );
  }
  if (config.enable_delta && !config.auto_rebuild) {
    throw refuse(
      'Delta CRLs cannot be enabled when auto rebuilding is disabled as the complete CRL is always regenerated!',
    );
  }
}
