import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { createCertificatePath, decodeResponse, encodeRequest } from './ca-messages.ts';

export interface CertificateCall {
  /** host:port */
  readonly address: string;
  readonly serverName: string;
  /** PEM: whom to believe as the CA. */
  readonly rootPem: string;
  readonly csr: string;
  /** Milliseconds. */
  readonly ttl: number;
  readonly token?: string;
  readonly clusterId?: string;
  /** To renew with a certificate in place of a token. */
  readonly client?: { readonly chain: string; readonly key: string };
  readonly metadata?: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** A refusal of the CA, or no answer: `grpcCode` as the CA (or the transport, 14) gave it. */
export class CertificateCallError extends MeshrootError {
  readonly grpcCode: number;

  constructor(grpcCode: number, message: string) {
    super('certificate-refused', message, { exit: 1 });
    this.grpcCode = grpcCode;
  }
}

/**
 * One CreateCertificate on a connection of its own, so that each call sees the CA's certificate and roots as they are.
 * @returns the elements of the reply: leaf, intermediates, and last the root bundle
 * @throws CertificateCallError
 */
export async function requestCertificate(call: CertificateCall): Promise<readonly string[]> {
  const client = dial(call);
  const metadata = new Metadata();
  if (call.token !== undefined) metadata.set('authorization', `Bearer ${call.token}`);
  if (call.clusterId) metadata.set('clusterid', call.clusterId);
  const deadline = call.timeout ?? 10_000;
  const request = encodeRequest({ csr: call.csr, ttl: call.ttl, metadata: call.metadata ?? {} });
  try {
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        createCertificatePath,
        (bytes: Buffer) => bytes,
        decodeResponse,
        request,
        metadata,
        { deadline: new Date(performance.timeOrigin + performance.now() + deadline) },
        (error: ServiceError | null, chain) => {
          if (error === null) resolve(chain ?? []);
          else reject(new CertificateCallError(error.code, error.details || messageOf(error)));
        },
      );
    });
  } finally {
    client.close();
  }
}

function dial({ address, serverName, rootPem, client }: CertificateCall): Client {
  const roots = Buffer.from(rootPem);
  const tls =
    client === undefined
      ? credentials.createSsl(roots)
      : credentials.createSsl(roots, Buffer.from(client.key), Buffer.from(client.chain));
  return new Client(address, tls, {
    'grpc.ssl_target_name_override': serverName,
    'grpc.default_authority': serverName,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
  });
}
