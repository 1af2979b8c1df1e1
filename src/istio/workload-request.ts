import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { createCertificatePath, decodeResponse, encodeRequest } from './ca-messages.ts';

/** A CA, and as whom to dial it. */
export interface CertificatePeer {
  /** host:port */
  readonly address: string;
  readonly serverName: string;
  /** PEM: whom to believe as the CA. */
  readonly rootPem: string;
  /** To renew with a certificate in place of a token. */
  readonly client?: { readonly chain: string; readonly key: string };
}

/** What is asked of it. */
export interface CertificateQuestion {
  readonly csr: string;
  /** Milliseconds. */
  readonly ttl: number;
  readonly token?: string;
  readonly clusterId?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout?: number;
}

export type CertificateCall = CertificatePeer & CertificateQuestion;

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
  const connection = new CertificateConnection(call);
  try {
    return await connection.ask(call);
  } finally {
    connection.close();
  }
}

/** One connection for many calls; it is made by the first. */
export class CertificateConnection {
  readonly #client: Client;

  constructor(peer: CertificatePeer) {
    this.#client = dial(peer);
  }

  /** @throws CertificateCallError */
  ask(question: CertificateQuestion): Promise<readonly string[]> {
    const { csr, ttl, token, clusterId, timeout: deadline = 10_000 } = question;
    const metadata = new Metadata();
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
    if (clusterId) metadata.set('clusterid', clusterId);
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        createCertificatePath,
        (bytes: Buffer) => bytes,
        decodeResponse,
        encodeRequest({ csr, ttl, metadata: question.metadata ?? {} }),
        metadata,
        { deadline: new Date(performance.timeOrigin + performance.now() + deadline) },
        (error: ServiceError | null, chain) => {
          if (error === null) resolve(chain ?? []);
          else reject(new CertificateCallError(error.code, error.details || messageOf(error)));
        },
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}

function dial({ address, serverName, rootPem, client }: CertificatePeer): Client {
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
