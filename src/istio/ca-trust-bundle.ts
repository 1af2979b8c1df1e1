import type { TrustSet } from './ca-signer.ts';

/** How often a peer should look again, in seconds. */
const refreshHint = 300;

/**
 * The roots as a SPIFFE bundle (SPIFFE Trust Domain and Bundle, 4): a JWK set whose keys carry their certificate.
 * @param sequence grows whenever the roots change
 */
export function spiffeBundle({ roots }: TrustSet, sequence: number): object {
  return {
    keys: roots.map(({ publicKey, der }) => ({
      ...publicKey.export({ format: 'jwk' }),
      use: 'x509-svid',
      x5c: [der.toString('base64')],
    })),
    spiffe_sequence: sequence,
    spiffe_refresh_hint: refreshHint,
  };
}
