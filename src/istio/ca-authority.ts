import type { Clock } from '../lib/clock.ts';
import { goDuration } from '../lib/duration.ts';
import { messageOf } from '../lib/errors.ts';
import type { Csr } from '../x509/csr.ts';
import { type AuthenticateOptions, authenticate, type Caller, type Evidence } from './ca-authenticate.ts';
import { type CsrRule, compatRules, readCsr } from './ca-csr-rules.ts';
import type { CertificateRequest } from './ca-messages.ts';
import { CaRefusal } from './ca-refusal.ts';
import type { Issued, Signer } from './ca-signer.ts';

export interface AuthorityOptions extends AuthenticateOptions {
  readonly signer: Signer;
  readonly clock: Clock;
  /** Milliseconds. */
  readonly defaultTtl: number;
  readonly maxTtl: number;
  readonly csrRules?: readonly CsrRule[];
}

export interface Certified {
  readonly caller: Caller;
  readonly issued: Issued;
  /** What goes on the wire: the leaf, each intermediate in an element of its own, and last the whole root bundle. */
  readonly chain: readonly string[];
}

/**
 * `IstioCertificateService.CreateCertificate` without a socket. The identity always comes from the caller's proof, never
 * from the request; of the CSR only the key counts (and whether it has a common name).
 * @throws CaRefusal with istiod's gRPC code and words
 */
export async function createCertificate(
  request: CertificateRequest,
  evidence: Evidence,
  options: AuthorityOptions,
): Promise<Certified> {
  const now = options.clock.now();
  const caller = await authenticate(evidence, options, now);
  refuseImpersonation(request);
  const csr = readCsr(request.csr, caller, options.csrRules ?? compatRules);
  const ttl = lifetime(request.ttl, options);
  const issued = await sign(csr, caller, ttl, options);
  return { caller, issued, chain: replyChain(issued) };
}

/** Nodes that ask for their pods (ztunnel) need the pod list of the node: not served yet, and never guessed. */
function refuseImpersonation(request: CertificateRequest): void {
  const identity = request.metadata.ImpersonatedIdentity ?? '';
  if (identity === '') return;
  throw new CaRefusal(
    'impersonation-refused',
    'request impersonation authentication failure',
    `impersonation of ${identity} is not served`,
  );
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

async function sign(csr: Csr, caller: Caller, ttl: number, options: AuthorityOptions): Promise<Issued> {
  const [first = ''] = caller.uris;
  const named = csr.subject.some(({ type, value }) => type === 'CN' && value !== '') && first.length <= 64;
  try {
    return await options.signer.signWorkload({
      publicKey: csr.publicKey,
      uris: caller.uris,
      ttl,
      now: options.clock.now(), // after the review, which may have taken a while
      ...(named ? { commonName: first } : {}),
    });
  } catch (error) {
    throw new CaRefusal('signing-failed', `CSR signing error (${messageOf(error)})`);
  }
}

function replyChain({ leaf, trust }: Issued): readonly string[] {
  return [leaf.pem, ...trust.chain.map((certificate) => certificate.pem), trust.rootPem];
}
