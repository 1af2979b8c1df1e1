import { z } from 'zod';
import { parseDuration } from '../lib/duration.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { Rate } from './ca-admission.ts';
import type { CsrPolicy } from './ca-csr-rules.ts';
import { type JoinSettings, joinSettings } from './ca-join-settings.ts';
import { type SignerSettings, signerSettings, type VaultFlags } from './ca-signer-settings.ts';
import { checkTrustDomain } from './identity.ts';

/** Flags of `meshroot ca`: ours, and istiod's by their names. */
export interface CaFlags {
  readonly rootCaDir?: string | undefined;
  readonly listen?: string | undefined;
  readonly metrics?: string | undefined;
  readonly http?: string | undefined;
  readonly trustDomain?: string | undefined;
  readonly cluster?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly jwks?: string | undefined;
  readonly issuer?: string | undefined;
  /** `10m`: tokens older than that are reviewed by the cluster too. */
  readonly revocationWindow?: string | undefined;
  readonly signer?: string | undefined;
  readonly vault?: VaultFlags | undefined;
  readonly reserveDir?: string | undefined;
  readonly reservePassphraseFile?: string | undefined;
  /** `-` is stdout. */
  readonly ledger?: string | undefined;
  readonly csrMode?: string | undefined;
  readonly minRsaBits?: string | undefined;
  /** `100/s`, `30/m` */
  readonly rateLimit?: string | undefined;
  readonly callerRateLimit?: string | undefined;
  readonly joinOnce?: boolean | undefined;
  readonly joinKvPath?: string | undefined;
  /** `name=kubeconfig`, each a cluster whose tokens are accepted too. */
  readonly remoteCluster?: readonly string[] | undefined;
  /** The trust domain of --meshConfig, when there is one. */
  readonly meshTrustDomain?: string | undefined;
}

export interface CaSettings {
  readonly folder: string;
  readonly listen: string;
  readonly metrics: string | undefined;
  readonly http: string | undefined;
  readonly trustDomain: string;
  readonly clusterId: string;
  readonly namespace: string;
  readonly revision: string;
  readonly customHosts: string;
  /** Milliseconds. */
  readonly defaultTtl: number;
  readonly maxTtl: number;
  readonly audiences: readonly string[];
  readonly multiRoot: boolean;
  readonly configMap: string;
  readonly crlConfigMap: string;
  readonly kubeconfig: string | undefined;
  readonly signer: SignerSettings;
  readonly reserve: { readonly folder: string; readonly passphraseFile: string } | undefined;
  readonly ledger: string | undefined;
  readonly csrPolicy: CsrPolicy;
  readonly rate: Rate | undefined;
  readonly callerRate: Rate | undefined;
  readonly join: JoinSettings | undefined;
  /** `namespace/account` of those that may ask for the pods of their node. */
  readonly trustedNodeAccounts: ReadonlySet<string>;
  /** Kubeconfig by cluster id. */
  readonly remoteClusters: ReadonlyMap<string, string>;
  /** Check tokens with these keys instead of asking the API server. */
  readonly jwks: JwksSettings | undefined;
}

export interface JwksSettings {
  readonly source: string;
  readonly issuer: string;
  /** Milliseconds; undefined: a token counts until it ends. */
  readonly revocationWindow: number | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

const jwtRule = z.object({
  issuer: z.string().min(1),
  jwks_uri: z.string().min(1),
  audiences: z.array(z.string()).optional(),
});

/**
 * What to run: flags first, then istiod's environment names, then istiod's defaults.
 * @throws MeshrootError naming the flag or variable that cannot be used
 */
export function caSettings(flags: CaFlags, env: Env): CaSettings {
  refuseExternalCa(env);
  const rule = env.JWT_RULE ? parseJwtRule(env.JWT_RULE) : undefined;
  return {
    folder: flags.rootCaDir ?? orElse(env.ROOT_CA_DIR, './etc/cacerts'),
    listen: flags.listen ?? ':15012',
    metrics: flags.metrics,
    http: flags.http,
    trustDomain: checkTrustDomain(
      flags.trustDomain ?? flags.meshTrustDomain ?? orElse(env.TRUST_DOMAIN, 'cluster.local'),
    ).replaceAll('@', '.'),
    clusterId: flags.cluster ?? orElse(env.CLUSTER_ID, 'Kubernetes'),
    namespace: orElse(env.POD_NAMESPACE, 'istio-system'),
    revision: env.REVISION ?? '',
    customHosts: env.ISTIOD_CUSTOM_HOST ?? '',
    defaultTtl: duration(env, 'DEFAULT_WORKLOAD_CERT_TTL', '24h'),
    maxTtl: duration(env, 'MAX_WORKLOAD_CERT_TTL', '2160h'),
    audiences: rule?.audiences ?? orElse(env.TOKEN_AUDIENCES, 'istio-ca').split(','),
    multiRoot: isTrue(env.ISTIO_MULTIROOT_MESH),
    configMap: orElse(env.PILOT_CA_CERT_CONFIGMAP, 'istio-ca-root-cert'),
    crlConfigMap: orElse(env.PILOT_CRL_CONFIGMAP, 'istio-ca-crl'),
    kubeconfig: flags.kubeconfig,
    signer: signerSettings(flags.signer, flags.vault ?? {}, env),
    reserve: reserveOf(flags),
    join: joinSettings(flags, env),
    ledger: flags.ledger,
    ...policyOf(flags, env),
    jwks: jwksSettings(flags, rule),
  };
}

function refuseExternalCa(env: Env): void {
  for (const name of ['EXTERNAL_CA', 'K8S_SIGNER']) {
    if (!env[name]) continue;
    throw new MeshrootError(
      'external-ca',
      `${name} is set: meshroot ca signs itself and stands in for no other CA`,
      {
        hint: `unset ${name}`,
      },
    );
  }
}

function reserveOf({ reserveDir, reservePassphraseFile }: CaFlags): CaSettings['reserve'] {
  if (reserveDir === undefined && reservePassphraseFile === undefined) return undefined;
  if (reserveDir !== undefined && reservePassphraseFile !== undefined)
    return { folder: reserveDir, passphraseFile: reservePassphraseFile };
  throw new MeshrootError('half-reserve', 'a reserve needs a folder and the passphrase of its key', {
    hint: 'give both: --reserve-dir DIR --reserve-passphrase-file FILE',
  });
}

function policyOf(flags: CaFlags, env: Env) {
  const accounts = (env.CA_TRUSTED_NODE_ACCOUNTS ?? '').split(',').map((account) => account.trim());
  return {
    csrPolicy: { mode: csrModeOf(flags.csrMode), minRsaBits: minRsaBitsOf(flags.minRsaBits) },
    rate: rateOf('--rate-limit', flags.rateLimit),
    callerRate: rateOf('--caller-rate-limit', flags.callerRateLimit),
    trustedNodeAccounts: new Set(accounts.filter((account) => account !== '')),
    remoteClusters: new Map((flags.remoteCluster ?? []).map(remoteOf)),
  };
}

function csrModeOf(mode = 'strict'): 'strict' | 'compat' {
  if (mode === 'strict' || mode === 'compat') return mode;
  throw new MeshrootError('bad-csr-mode', `"${mode}" is not a CSR mode`, {
    hint: 'strict (a request may only ask for what its caller is) or compat (names are ignored, as by istiod)',
  });
}

function minRsaBitsOf(text = '2048'): number {
  if (['2048', '3072', '4096'].includes(text)) return Number(text);
  throw new MeshrootError('bad-key-size', `"${text}" is not a size that --min-rsa-bits takes`, {
    hint: 'one of: 2048, 3072, 4096',
  });
}

const periods: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

function rateOf(flag: string, text: string | undefined): Rate | undefined {
  if (text === undefined) return undefined;
  const [, count = '0', unit = ''] = /^(\d{1,7})\/([smh])$/.exec(text) ?? [];
  if (Number(count) > 0) return { count: Number(count), period: periods[unit] ?? 1000 };
  throw new MeshrootError('bad-rate', `${flag} "${text}" is not a rate`, {
    hint: 'write for example 500/s, 30/m or 100/h',
  });
}

function remoteOf(text: string): readonly [string, string] {
  const [, name = '', file = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name !== '') return [name, file];
  throw new MeshrootError('bad-remote-cluster', `--remote-cluster "${text}" is not NAME=KUBECONFIG`, {
    hint: 'for example: --remote-cluster cluster2=/etc/remotes/cluster2.yaml',
  });
}

function jwksSettings(flags: CaFlags, rule: z.infer<typeof jwtRule> | undefined): JwksSettings | undefined {
  const keys =
    jwksOf(flags) ?? (rule === undefined ? undefined : { source: rule.jwks_uri, issuer: rule.issuer });
  const { revocationWindow: text } = flags;
  if (keys !== undefined)
    return { ...keys, revocationWindow: text === undefined ? undefined : parseDuration(text) };
  if (text === undefined) return undefined;
  throw new MeshrootError('half-jwks', '--revocation-window is of tokens that are checked by keys', {
    hint: 'give it with --jwks and --issuer; TokenReview alone knows at once what was revoked',
  });
}

function jwksOf({ jwks, issuer }: CaFlags): Pick<JwksSettings, 'source' | 'issuer'> | undefined {
  if (jwks === undefined && issuer === undefined) return undefined;
  if (jwks !== undefined && issuer !== undefined) return { source: jwks, issuer };
  throw new MeshrootError('half-jwks', `${jwks === undefined ? '--issuer' : '--jwks'} alone is not enough`, {
    hint: 'give both: --jwks FILE|URL --issuer ISSUER (or neither, and tokens are reviewed by the cluster)',
  });
}

function parseJwtRule(text: string): z.infer<typeof jwtRule> {
  try {
    return jwtRule.parse(JSON.parse(text));
  } catch (error) {
    throw new MeshrootError('bad-jwt-rule', 'JWT_RULE cannot be read', {
      hint: 'write {"issuer":"...","jwks_uri":"...","audiences":["istio-ca"]}',
      cause: error,
    });
  }
}

function duration(env: Env, name: string, otherwise: string): number {
  const ms = parseDuration(orElse(env[name], otherwise));
  if (ms > 0) return ms;
  throw new MeshrootError('bad-duration', `${name} must be longer than nothing, not "${env[name]}"`);
}

/** Go programs take an empty variable as one that is not set. */
function orElse(value: string | undefined, otherwise: string): string {
  return value === undefined || value === '' ? otherwise : value;
}

function isTrue(value: string | undefined): boolean {
  return /^(1|t|true)$/i.test(value ?? '');
}
