import { type AuthorityOptions, type Certified, createCertificate } from '../istio/ca-authority.ts';
import {
  type CertificateRequest,
  createCertificatePath,
  decodeRequest,
  encodeResponse,
} from '../istio/ca-messages.ts';
import type { CaMetrics } from '../istio/ca-metrics.ts';
import { CaRefusal } from '../istio/ca-refusal.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { CallIntake } from './call-intake.ts';
import { healthService } from './grpc-health.ts';
import { reflectionService } from './grpc-reflection.ts';
import { type GrpcCall, GrpcServer } from './grpc-server.ts';
import { GrpcStatus } from './grpc-stream.ts';
import type { HotTls } from './hot-tls.ts';
import { listenOn } from './listen-address.ts';

export interface CaListenerOptions extends AuthorityOptions {
  readonly address: string;
  readonly tls: HotTls;
  readonly metrics: CaMetrics;
  readonly log: Logger;
  /** Told of every certificate before it is answered. */
  readonly onIssued?: ((certified: Certified) => void) | undefined;
}

export interface CaListener {
  readonly port: number;
  /** Lets calls under way end (up to `graceMs`), takes no new ones. */
  close(graceMs: number): Promise<void>;
}

/** Calls that may be open: the heap grows with what waits. */
const maxCalls = 512;
/** How often a line says that callers were sent away, in ms: a line for each would be a second storm. */
const sentAwayEvery = 1000;

/** 64 KiB of CSR and a bit of metadata: istiod allows 4 MiB, which no client needs. */
const maxMessage = 256 * 1024;

/** Serves the certificate service, gRPC health and reflection over TLS. @throws MeshrootError `cannot-listen` */
export async function listenForCertificates(options: CaListenerOptions): Promise<CaListener> {
  const { tls, log, address } = options;
  const health = healthService();
  const sentAway = sentAwayLog(options);
  const server = new GrpcServer({
    tls,
    maxMessage,
    unary: {
      [createCertificatePath]: (bytes, call) => answer(bytes, call, options, sentAway),
      ...health.unary,
    },
    bounded: {
      paths: new Set([createCertificatePath]),
      intake: new CallIntake(maxCalls),
      refusal: new GrpcStatus(full.grpcCode, full.message),
      onRefused: () => {
        options.metrics.received();
        options.metrics.refused(full, 0);
        sentAway(full);
      },
    },
    streams: { ...health.streams, ...reflectionService() },
    onBug: (error) => log.error(`call failed: ${messageOf(error)}`),
  });
  const port = await listenOn(server.http, address);
  return {
    port,
    close: async (graceMs) => {
      health.stop();
      await server.close(graceMs);
    },
  };
}

/** The encoded chain, or rejects with the gRPC status to send. */
async function answer(
  bytes: Buffer,
  call: GrpcCall,
  options: CaListenerOptions,
  sentAway: (refusal: CaRefusal) => void,
): Promise<Buffer> {
  const { metrics, clock, log, onIssued } = options;
  const began = clock.now();
  metrics.received();
  try {
    const certified = await createCertificate(decode(bytes), evidenceOf(call), options);
    onIssued?.(certified);
    metrics.succeeded(clock.now() - began);
    log.debug('CSR successfully signed', { sans: certified.uris, by: certified.caller.via });
    return encodeResponse(certified.chain);
  } catch (error) {
    const refusal = error instanceof CaRefusal ? error : internal(error, log);
    metrics.refused(refusal, clock.now() - began);
    if (refusal.code === 'overloaded') sentAway(refusal);
    else logRefusal(refusal, call, log);
    throw new GrpcStatus(refusal.grpcCode, refusal.message);
  }
}

function logRefusal(refusal: CaRefusal, call: GrpcCall, log: Logger): void {
  const why = refusal.reason === refusal.message ? '' : `: ${refusal.reason}`;
  log.warn(`${refusal.message}${why}`, { peer: call.peer, code: refusal.code });
}

const full = new CaRefusal(
  'overloaded',
  'too many certificate requests, try again later',
  `${maxCalls} calls are open`,
);

/** The first refusal at once, then how many there were in the second that has passed. */
function sentAwayLog({ clock, log }: CaListenerOptions): (refusal: CaRefusal) => void {
  let until = 0;
  let count = 0;
  return ({ message, reason, code }) => {
    count += 1;
    const now = clock.now();
    if (now < until) return;
    log.warn(`${message}: ${reason}`, { code, refused: count });
    until = now + sentAwayEvery;
    count = 0;
  };
}

function decode(bytes: Buffer): CertificateRequest {
  try {
    return decodeRequest(bytes);
  } catch (error) {
    throw new CaRefusal('bad-message', 'Error deserializing request', messageOf(error)); // code 13, as every gRPC server
  }
}

function evidenceOf({ headers, certificate, expired }: GrpcCall) {
  const { authorization, clusterid } = headers;
  const clusterId = typeof clusterid === 'string' ? clusterid : undefined;
  return { certificate, expired, authorization, clusterId };
}

function internal(error: unknown, log: Logger): CaRefusal {
  log.error(`certificate request failed: ${messageOf(error)}`);
  return new CaRefusal('internal', 'internal error');
}
