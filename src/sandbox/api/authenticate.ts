import type { ServiceAccountTokens } from './service-account-tokens.ts';
import { serviceAccountIssuer } from './service-account-tokens.ts';
import { unauthorized } from './status-error.ts';
import { anonymous, type UserInfo } from './user.ts';

/** What the TLS layer knows of a client certificate. */
export type ClientCertificate =
  | { readonly trusted: true; readonly commonName: string; readonly organizations: readonly string[] }
  | { readonly trusted: false };

export interface Credentials {
  readonly certificate: ClientCertificate | undefined;
  /** The Authorization header. */
  readonly authorization: string | undefined;
}

/**
 * Who sends a request: a client certificate (CN is the user, O its groups), else a bearer token, else anonymous. A
 * credential that is not accepted is a refusal, never a fall back to anonymous.
 * @throws StatusError 401
 */
export async function authenticate(
  credentials: Credentials,
  tokens: ServiceAccountTokens,
): Promise<UserInfo> {
  const { certificate, authorization } = credentials;
  if (certificate?.trusted === true && certificate.commonName !== '') {
    return {
      username: certificate.commonName,
      groups: [...certificate.organizations, 'system:authenticated'],
    };
  }
  const token = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token !== undefined) {
    try {
      return (await tokens.verify(token, [serviceAccountIssuer])).user;
    } catch {
      throw unauthorized();
    }
  }
  if (certificate !== undefined) throw unauthorized();
  return anonymous;
}
