import { isIP } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { days, hours } from '../lib/duration.ts';
import type { Logger } from '../lib/log.ts';
import { type Certificate, parseCertificates } from '../x509/certificate.ts';
import type { Issuer } from '../x509/issuer.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import { nameText } from '../x509/name.ts';
import { createRoot } from '../x509/templates/root.ts';
import { issueServing } from '../x509/templates/serving.ts';
import type { CertificateSource, ServingCertificate } from './certificate-source.ts';

export const caTtl = days(365);
export const leafTtl = hours(24);
/** A tenth of its life before the end a certificate is replaced. */
const reissueAt = 0.9;
/** More replicas than this at a time would push each other's CA out of the bundle. */
const mostAuthorities = 16;
const subject = [{ type: 'CN', value: 'meshroot injector CA' }] as const;

interface Made {
  readonly issuer: Issuer;
  readonly leaf: Certificate;
  readonly serving: ServingCertificate;
}

/** A certificate of a CA that lives in the memory of this process alone; the API servers learn the CA by `caBundle`. */
export async function selfMadeCertificate(
  hosts: readonly string[],
  clock: Clock,
  log: Logger,
): Promise<CertificateSource> {
  let made = await makeLeaf(await makeIssuer(clock.now()), hosts, clock.now());
  return {
    get current() {
      return made.serving;
    },
    get caBundle() {
      return made.issuer.certificate.pem;
    },
    follow: async (onChange, signal) => {
      while (!signal.aborted) {
        // in steps, because timers stand still while a machine sleeps
        const wait = Math.min(reissueTime(made.leaf) - clock.now(), hours(1));
        await clock.sleep(Math.max(0, wait), signal).catch(() => {});
        if (signal.aborted) return;
        if (clock.now() < reissueTime(made.leaf)) continue;
        made = await renew(made, hosts, clock.now());
        log.info('certificate reissued', { expires: new Date(made.leaf.notAfter).toISOString() });
        onChange();
      }
    },
  };
}

function reissueTime({ notBefore, notAfter }: Certificate): number {
  return notBefore + (notAfter - notBefore) * reissueAt;
}

async function renew({ issuer }: Made, hosts: readonly string[], now: number): Promise<Made> {
  const tooOld = now >= reissueTime(issuer.certificate) || now + leafTtl > issuer.certificate.notAfter;
  return makeLeaf(tooOld ? await makeIssuer(now) : issuer, hosts, now);
}

async function makeIssuer(now: number): Promise<Issuer> {
  const key = await generateKeyPair('ec-p256');
  return { certificate: await createRoot({ key, subject, ttl: caTtl, now }), privateKey: key.privateKey };
}

async function makeLeaf(issuer: Issuer, hosts: readonly string[], now: number): Promise<Made> {
  const key = await generateKeyPair('ec-p256');
  const ips = hosts.filter((host) => isIP(host) !== 0);
  const dns = hosts.filter((host) => isIP(host) === 0);
  const { publicKey } = key;
  const leaf = await issueServing({
    issuer,
    publicKey,
    dns,
    ips,
    ttl: leafTtl,
    now,
    commonName: 'meshroot injector',
  });
  return { issuer, leaf, serving: { certificate: leaf.pem, key: privateKeyPem(key.privateKey) } };
}

/**
 * The bundle in which `own` is trusted. Valid CAs of other injectors stay, so that replicas and the two sides of a
 * rolling update work side by side without electing a leader; anything else goes.
 */
export function mergeCaBundle(old: string, own: string, now: number): string {
  const all = readable(old);
  const kept = all.filter((ca) => ca.notAfter > now && nameText(ca.subject) === nameText(subject));
  const present = kept.some((ca) => ca.pem.trim() === own.trim());
  // ours keeps its place when it is there: two replicas must not take turns in reordering
  if (present && kept.length === all.length) return old;
  const others = kept.filter((ca) => ca.pem.trim() !== own.trim()).sort((a, b) => b.notBefore - a.notBefore);
  return [...others.slice(0, mostAuthorities - 1).map((ca) => ca.pem), own].join('');
}

/**
 * As `mergeCaBundle`, but takes nothing out: what a replica writes that does not hold the Lease (-use-leader-elector),
 * so that one whose clock is wrong cannot take the others out of the bundle.
 */
export function joinCaBundle(old: string, own: string): string {
  const all = readable(old);
  if (all.some((ca) => ca.pem.trim() === own.trim())) return old;
  return [...all.map((ca) => ca.pem), own].join('');
}

function readable(bundle: string): Certificate[] {
  try {
    return parseCertificates(bundle);
  } catch {
    return []; // what no API server can read either
  }
}
