import { connect } from 'node:http2';
import { createCertificatePath, encodeRequest } from '../../src/istio/ca-messages.ts';
import type { CaAnswer } from './cases.ts';

/** Asks whoever listens there, whatever certificate he shows: one that has ended with its signer, for instance. */
export async function unverified(
  address: string,
  { csr, token }: { readonly csr: string; readonly token: string },
): Promise<CaAnswer> {
  const session = connect(`https://${address}`, { rejectUnauthorized: false });
  session.on('error', () => {}); // told by its stream
  try {
    return await new Promise((resolve, reject) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': createCertificatePath,
        'content-type': 'application/grpc',
        te: 'trailers',
        authorization: `Bearer ${token}`,
      });
      const take = (fields: Record<string, unknown>) => {
        if (fields['grpc-status'] === undefined) return;
        const text = decodeURIComponent(String(fields['grpc-message'] ?? ''));
        resolve({ code: Number(fields['grpc-status']), text });
      };
      stream.on('response', take).on('trailers', take).on('error', reject);
      stream.on('close', () => reject(new Error('the call ended without a status')));
      stream.resume().end(framed(encodeRequest({ csr, ttl: 3_600_000, metadata: {} })));
    });
  } finally {
    session.destroy();
  }
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
