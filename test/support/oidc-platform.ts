import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';

/** A CI platform as far as its OIDC tokens go: signs claims for a job, and answers GitHub's request for a token. */
export interface OidcPlatform {
  readonly issuer: string;
  readonly publicKey: string;
  sign(claims: Readonly<Record<string, unknown>>, audience: string): Promise<string>;
  /** Environment of a GitHub job with these claims; tokens for another audience than Vault's come from `others`. */
  githubJob(
    claims: Readonly<Record<string, unknown>>,
    others: Readonly<Record<string, () => Promise<string>>>,
  ): Record<string, string>;
  close(): void;
}

export async function startOidcPlatform(): Promise<OidcPlatform> {
  const issuer = 'https://ci.example';
  const keys = await generateKeyPair('ES256');
  const jobs: {
    claims: Readonly<Record<string, unknown>>;
    others: Readonly<Record<string, () => Promise<string>>>;
  }[] = [];
  const sign = (claims: Readonly<Record<string, unknown>>, audience: string): Promise<string> =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(keys.privateKey);
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const job = jobs[Number(url.searchParams.get('job'))];
    const audience = url.searchParams.get('audience') ?? '';
    if (job === undefined || request.headers.authorization !== 'Bearer of-the-job')
      return response.writeHead(401).end('{}');
    const other = job.others[audience];
    response.end(
      JSON.stringify({ value: await (other === undefined ? sign(job.claims, audience) : other()) }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    publicKey: await exportSPKI(keys.publicKey),
    sign,
    githubJob: (claims, others) => ({
      ACTIONS_ID_TOKEN_REQUEST_URL: `${address}/?job=${jobs.push({ claims, others }) - 1}`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-the-job',
    }),
    close: () => server.close(),
  };
}
