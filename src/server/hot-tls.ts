import { constants } from 'node:crypto';
import type { SecureContextOptions, Server } from 'node:tls';

export interface TlsMaterial {
  /** Leaf first, PEM. */
  readonly certificateChain: string;
  readonly privateKey: string;
  /** Whom to believe as a client, PEM. */
  readonly clientRoots: string;
}

/**
 * TLS whose certificate and client trust can change while it serves: every connection that begins after `update` is on
 * the new material, those that are open stay as they are.
 *
 * Client certificates are to be asked for and verified when given, but never demanded: one that does not verify leaves
 * the connection as one without, so that a token still counts. Sessions are not resumed, because a resumed one would
 * carry a verification against roots that may have been removed since.
 */
export class HotTls {
  #material: TlsMaterial;
  #servers: Pick<Server, 'setSecureContext'>[] = [];

  constructor(material: TlsMaterial) {
    this.#material = material;
  }

  get context(): SecureContextOptions {
    const { certificateChain, privateKey, clientRoots } = this.#material;
    return {
      cert: certificateChain,
      key: privateKey,
      ca: clientRoots,
      minVersion: 'TLSv1.2',
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
  }

  /** `server` follows from now on; it was made with `context`. */
  attach(server: Pick<Server, 'setSecureContext'>): void {
    this.#servers.push(server);
  }

  update(material: TlsMaterial): void {
    this.#material = material;
    for (const server of this.#servers) server.setSecureContext(this.context);
  }
}
