import type { Clock } from '../lib/clock.ts';
import { goDuration } from '../lib/duration.ts';
import { messageOf } from '../lib/errors.ts';
import type { Admission } from './ca-admission.ts';
import { type AuthenticateOptions, authenticate, type Caller, type Evidence } from './ca-authenticate.ts';
import { type CsrPolicy, defaultCsrPolicy, type ReadCsr, readCsr } from './ca-csr-rules.ts';
import type { MayImpersonate } from './ca-impersonation.ts';
import type { JoinOnce } from './ca-join.ts';
import type { CertificateRequest } from './ca-messages.ts';
import { CaRefusal } from './ca-refusal.ts';
import type { Issued, Signer, WorkloadCsr } from './ca-signer.ts';
import type { ReviewToken } from './ca-token-review.ts';
import { parseSpiffeUri } from './identity.ts';

export interface RemoteCluster {
  readonly review: ReviewToken;
  readonly mayImpersonate?: MayImpersonate | undefined;
}

export interface AuthorityOptions extends AuthenticateOptions {
  readonly signer: Signer;
  readonly clock: Clock;
  /** Milliseconds. */
  readonly defaultTtl: number;
  readonly maxTtl: number;
  readonly csrPolicy?: CsrPolicy | undefined;
  /** Reads and judges requests; undefined: `readCsr`, in this thread. */
  readonly readCsr?: ReadCsr | undefined;
  readonly admission?: Admission | undefined;
  /** Undefined: nobody may. */
  readonly mayImpersonate?: MayImpersonate | undefined;
  readonly remotes?: ReadonlyMap<string, RemoteCluster> | undefined;
  /** Tokens without a pod count once; undefined: as often as they are good, as in istiod. */
  readonly joinOnce?: JoinOnce | undefined;
}

export interface Certified {
  readonly caller: Caller;
  /** What the leaf names. */
  readonly uris: readonly string[];
  readonly issued: Issued;
  /** What goes on the wire: the leaf, each intermediate in an element of its own, and last the whole root bundle. */
  readonly chain: readonly string[];
}

/** How long a call may take with all that it waits for, in ms: agents themselves set no deadline. */
const callDeadline = 5000;

/**
 * `IstioCertificateService.CreateCertificate` without a socket. The identity always comes from the caller's proof, never
 * from the request; of the CSR only the key counts (and whether it has a common name), the policy may refuse it for more.
 * @throws CaRefusal with istiod's gRPC code and words
 */
export async function createCertificate(
  request: CertificateRequest,
  evidence: Evidence,
  options: AuthorityOptions,
): Promise<Certified> {
  const now = options.clock.now();
  const caller = await authenticate(evidence, options, now);
  const { admission } = options;
  const work = () => certify(request, caller, options, now + callDeadline);
  if (admission === undefined) return work();
  const [first = ''] = caller.uris;
  return admission.run(caller.pod?.uid ?? first, work, now);
}

async function certify(
  request: CertificateRequest,
  caller: Caller,
  options: AuthorityOptions,
  until: number,
): Promise<Certified> {
  const join = options.joinOnce === undefined ? undefined : caller.join?.();
  if (join !== undefined) options.joinOnce?.check(join);
  const ttl = lifetime(request.ttl, options);
  const uris = await namesFor(request, caller, options, until);
  const read = options.readCsr ?? readCsr;
  const csr = await read(request.csr, uris, options.csrPolicy ?? defaultCsrPolicy);
  const issued = await sign(csr, uris, ttl, options, until);
  if (join !== undefined) await options.joinOnce?.spend(join); // before anybody sees the certificate
  return { caller, uris, issued, chain: replyChain(issued) };
}

/**
 * Whose names go into the certificate: the caller's own, or those of the pod that a node asks for. Only identities of our
 * trust domain can be asked for.
 */
async function namesFor(
  request: CertificateRequest,
  caller: Caller,
  options: AuthorityOptions,
  until: number,
): Promise<readonly string[]> {
  const wanted = request.metadata.ImpersonatedIdentity ?? '';
  if (wanted === '') return caller.uris;
  const identity = parseSpiffeUri(wanted);
  if (identity === undefined) throw impersonation(`${wanted} is not a workload's identity`);
  if (identity.trustDomain !== options.trustDomain)
    throw impersonation(`${wanted} is not of trust domain ${options.trustDomain}`);
  const { clusterId } = caller;
  const judge =
    clusterId === options.clusterId
      ? options.mayImpersonate
      : options.remotes?.get(clusterId)?.mayImpersonate;
  const reason = judge === undefined ? 'impersonation is not served' : await judge(caller, identity, until);
  if (reason !== undefined) throw impersonation(`${caller.uris.join(' ')} as ${wanted}: ${reason}`);
  return [wanted];
}

function impersonation(reason: string): CaRefusal {
  return new CaRefusal('impersonation-refused', 'request impersonation authentication failure', reason);
}

function lifetime(requested: number, options: AuthorityOptions): number {
  if (requested <= 0) return options.defaultTtl;
  if (requested <= options.maxTtl) return requested;
  const [asked, max] = [goDuration(requested), goDuration(options.maxTtl)];
  throw new CaRefusal(
    'ttl-too-long',
    `CSR signing error (requested TTL ${asked} is greater than the max allowed TTL ${max})`,
  );
}

async function sign(
  csr: WorkloadCsr,
  uris: readonly string[],
  ttl: number,
  options: AuthorityOptions,
  until: number,
): Promise<Issued> {
  const [first = ''] = uris;
  const named = csr.subject.some(({ type, value }) => type === 'CN' && value !== '') && first.length <= 64;
  try {
    return await options.signer.signWorkload({
      csr,
      uris,
      ttl,
      now: options.clock.now(), // after the review, which may have taken a while
      until,
      ...(named ? { commonName: first } : {}),
    });
  } catch (error) {
    if (error instanceof CaRefusal) throw error;
    throw new CaRefusal('signing-failed', `CSR signing error (${messageOf(error)})`);
  }
}

function replyChain({ leaf, trust }: Issued): readonly string[] {
  return [leaf.pem, ...trust.chain.map((certificate) => certificate.pem), trust.rootPem];
}
