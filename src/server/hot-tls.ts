import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';

export interface TlsMaterial {
  /** Leaf first, PEM. */
  readonly certificateChain: string;
  readonly privateKey: string;
  /** Whom to believe as a client, PEM. */
  readonly clientRoots: string;
}

/**
 * TLS for grpc-js whose certificate and client trust can change while it serves: every connection that begins after
 * `update` is on the new material, those that are open stay as they are. grpc-js passes new options on to
 * `tls.Server.setSecureContext` for its own certificate providers; this uses the same (public) base class without them.
 *
 * Client certificates are asked for and verified when given, but never demanded: one that does not verify leaves the
 * connection as one without (`getAuthContext()` is empty), so that a token still counts. Sessions are not resumed,
 * because a resumed one would carry a verification against roots that may have been removed since.
 */
export class HotTls extends ServerCredentials {
  constructor(material: TlsMaterial) {
    super({ requestCert: true, rejectUnauthorized: false }, contextOf(material));
  }

  update(material: TlsMaterial): void {
    this.updateSecureContextOptions(contextOf(material));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function contextOf({ certificateChain, privateKey, clientRoots }: TlsMaterial): SecureContextOptions {
  return {
    cert: certificateChain,
    key: privateKey,
    ca: clientRoots,
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
