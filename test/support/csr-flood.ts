import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { createCertificatePath, encodeRequest } from '../../src/istio/ca-messages.ts';

export interface Flood {
  readonly address: string;
  readonly rootPem: string;
  readonly csr: string;
  readonly token: string;
  readonly streams: number;
}

/** A caller that always has `streams` calls under way and asks again at once, whatever it is answered. */
export function floodOf(o: Flood) {
  const name = 'istiod.istio-system.svc';
  const client = new Client(o.address, credentials.createSsl(Buffer.from(o.rootPem)), {
    'grpc.ssl_target_name_override': name,
    'grpc.default_authority': name,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
  });
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${o.token}`);
  const request = encodeRequest({ csr: o.csr, ttl: 3_600_000, metadata: {} });
  const bytes = (buffer: Buffer) => buffer;
  let toldOnce = () => {};
  const refusedOnce = new Promise<void>((resolve) => {
    toldOnce = resolve;
  });
  let running = true;
  const once = () =>
    new Promise<void>((resolve) => {
      client.makeUnaryRequest(
        createCertificatePath,
        bytes,
        bytes,
        request,
        metadata,
        (error: ServiceError | null) => {
          if (error?.code === 8) toldOnce();
          resolve();
        },
      );
    });
  const loops = Array.from({ length: o.streams }, async () => {
    while (running) await once();
  });
  return {
    /** Resolves when the flood was told to back off for the first time. */
    refusedOnce,
    stop: async () => {
      running = false;
      await Promise.all(loops);
      client.close();
    },
  };
}
