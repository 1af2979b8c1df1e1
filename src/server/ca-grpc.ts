import {
  type handleUnaryCall,
  Metadata,
  Server,
  type ServerUnaryCall,
  type ServiceDefinition,
  type StatusObject,
} from '@grpc/grpc-js';
import { type AuthorityOptions, createCertificate } from '../istio/ca-authority.ts';
import {
  type CertificateRequest,
  createCertificatePath,
  decodeRequest,
  encodeResponse,
} from '../istio/ca-messages.ts';
import type { CaMetrics } from '../istio/ca-metrics.ts';
import { CaRefusal } from '../istio/ca-refusal.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { addHealthService } from './grpc-health.ts';
import type { HotTls } from './hot-tls.ts';

export interface CaListenerOptions extends AuthorityOptions {
  readonly address: string;
  readonly tls: HotTls;
  readonly metrics: CaMetrics;
  readonly log: Logger;
}

export interface CaListener {
  readonly port: number;
  /** Lets calls under way end (up to `graceMs`), takes no new ones. */
  close(graceMs: number): Promise<void>;
}

/** 64 KiB of CSR and a bit of metadata: istiod allows 4 MiB, which no client needs. */
const maxMessage = 256 * 1024;

const definition: ServiceDefinition = {
  CreateCertificate: {
    path: createCertificatePath,
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes, // decoded by the handler: a bad message is then an answer like others
    responseSerialize: encodeResponse,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
};

/** Serves the certificate service and gRPC health over TLS. @throws MeshrootError `cannot-listen` */
export async function listenForCertificates(options: CaListenerOptions): Promise<CaListener> {
  const server = new Server({
    'grpc.max_receive_message_length': maxMessage,
    'grpc.max_concurrent_streams': 1000,
  });
  server.addService(definition, { CreateCertificate: handler(options) });
  const health = addHealthService(server);
  const port = await bind(server, options);
  return {
    port,
    close: async (graceMs) => {
      health.stop();
      const timer = setTimeout(() => server.forceShutdown(), graceMs);
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      clearTimeout(timer);
    },
  };
}

/** `:PORT` means every interface, as in Go: IPv6 and IPv4, or IPv4 alone where there is no IPv6. */
async function bind(server: Server, { address, tls }: CaListenerOptions): Promise<number> {
  const targets = address.startsWith(':') ? [`[::]${address}`, `0.0.0.0${address}`] : [address];
  let reason = '';
  for (const target of targets) {
    const bound = await bindOnce(server, target, tls);
    if (typeof bound === 'number') return bound;
    reason = bound;
    if (reason.includes('EADDRINUSE')) break;
  }
  const hint = reason.includes('EADDRINUSE')
    ? 'another process listens there; choose another with --listen HOST:PORT'
    : 'write HOST:PORT, for example 127.0.0.1:15012';
  throw new MeshrootError('cannot-listen', `cannot listen on ${address}: ${reason}`, { hint });
}

/** The port, or why not. */
function bindOnce(server: Server, target: string, tls: HotTls): Promise<number | string> {
  return new Promise((resolve) => {
    server.bindAsync(target, tls, (error, port) => resolve(error?.message.split('\n')[0] ?? port));
  });
}

function handler(options: CaListenerOptions): handleUnaryCall<Buffer, readonly string[]> {
  return (call, reply) => {
    answer(call, options).then(
      (chain) => reply(null, chain),
      (status: Partial<StatusObject>) => reply(status),
    );
  };
}

/** The chain, or rejects with the gRPC status to send. */
async function answer(call: ServerUnaryCall<Buffer, readonly string[]>, options: CaListenerOptions) {
  const { metrics, clock, log } = options;
  const began = clock.now();
  metrics.received();
  try {
    const { chain, caller, issued, uris } = await createCertificate(
      decode(call.request),
      evidenceOf(call),
      options,
    );
    metrics.succeeded(clock.now() - began);
    log.debug(`CSR successfully signed, sans [${uris.join(' ')}]`, {
      sn: issued.leaf.serial,
      by: caller.via,
    });
    return chain;
  } catch (error) {
    const refusal = error instanceof CaRefusal ? error : internal(error, log);
    metrics.refused(refusal, clock.now() - began);
    const why = refusal.reason === refusal.message ? '' : `: ${refusal.reason}`;
    log.warn(`${refusal.message}${why}`, { peer: call.getPeer(), code: refusal.code });
    throw statusOf(refusal);
  }
}

function decode(bytes: Buffer): CertificateRequest {
  try {
    return decodeRequest(bytes);
  } catch (error) {
    throw new CaRefusal('bad-message', 'Error deserializing request', messageOf(error)); // code 13, as every gRPC server
  }
}

function evidenceOf(call: ServerUnaryCall<Buffer, readonly string[]>) {
  const text = (name: string) => call.metadata.get(name)[0]?.toString();
  return {
    certificate: call.getAuthContext().sslPeerCertificate?.raw,
    authorization: text('authorization'),
    clusterId: text('clusterid'),
  };
}

function internal(error: unknown, log: Logger): CaRefusal {
  log.error(`certificate request failed: ${messageOf(error)}`);
  return new CaRefusal('internal', 'internal error');
}

function statusOf(refusal: CaRefusal): Partial<StatusObject> {
  return { code: refusal.grpcCode, details: refusal.message, metadata: new Metadata() };
}
