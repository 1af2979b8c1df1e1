import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCrl } from '../../src/x509/crl.ts';
import { createCsr } from '../../src/x509/csr.ts';
import { generateKeyPair } from '../../src/x509/keys.ts';
import { pemBlocks, toPem } from '../../src/x509/pem.ts';
import { createRoot } from '../../src/x509/templates/root.ts';
import { jwtFixtures } from './jwt-fixtures.ts';

const audience = 'https://kubernetes.default.svc';

/** Claims of a projected service account token. */
function claims(namespace: string, name: string, extra: object = {}): object {
  const now = Math.floor(Date.now() / 1000);
  return {
    aud: [audience],
    exp: now + 3600,
    iat: now - 10,
    nbf: now - 10,
    iss: audience,
    sub: `system:serviceaccount:${namespace}:${name}`,
    'kubernetes.io': { namespace, serviceaccount: { name, uid: `uid-${namespace}-${name}` } },
    ...extra,
  };
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The store does not look at the signature: the TokenReview is what decides. */
function jwt(payload: object, algorithm = 'RS256'): string {
  return `${part({ alg: algorithm, kid: 'k' })}.${part(payload)}.${Buffer.from('signature'.repeat(8)).toString('base64url')}`;
}

/** Requests for certificates: a web server's, two workloads', and one whose signature is wrong. */
async function requests(): Promise<Record<string, string>> {
  const key = await generateKeyPair('ec-p256');
  const web = await createCsr({
    key,
    subject: [{ type: 'CN', value: 'web.example.com' }],
    sans: { dns: ['web.example.com'] },
  });
  const spiffe = (account: string): Promise<string> =>
    createCsr({ key, sans: { uri: [`spiffe://cluster.local/ns/demo/sa/${account}`] }, sanCritical: true });
  const der = Buffer.from(pemBlocks(web)[0]?.der ?? []);
  const at = der.indexOf('web.example.com');
  der[at] = 0x77 + 1; // the signed part changes, its shape does not
  return {
    csr_web: web,
    csr_spiffe: await spiffe('web'),
    csr_other_spiffe: await spiffe('other'),
    csr_forged: toPem('CERTIFICATE REQUEST', der),
  };
}

/** A revocation list that names the serial number 4660. */
async function revocationList(): Promise<Buffer> {
  const [key, now] = [await generateKeyPair('ec-p256'), Date.now()];
  const certificate = await createRoot({ key, ttl: 3_600_000, now, crlSign: true });
  const issuer = { certificate, privateKey: key.privateKey };
  const times = { thisUpdate: now, nextUpdate: now + 3_600_000 };
  return (await createCrl({ issuer, number: 1, ...times, revoked: [{ serial: '1234', time: now }] })).der;
}

export interface Fixtures {
  readonly values: Readonly<Record<string, string>>;
  close(): void;
}

/** Tokens, and an API server's TokenReview that believes what a token says unless it says `refuse`. */
export async function startFixtures(): Promise<Fixtures> {
  const [signed, crl] = [jwtFixtures(), await revocationList()];
  const server = createServer(async (request, response) => {
    if (request.url === '/crl') {
      response.end(crl);
      return;
    }
    if (request.method === 'GET') {
      const document = signed.documents(`http://${request.headers.host}`)[request.url ?? ''];
      response.writeHead(document === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(document ?? {}));
      return;
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    const { spec } = JSON.parse(body) as { spec: { token: string; audiences?: string[] } };
    const payload = JSON.parse(Buffer.from(spec.token.split('.')[1] ?? '', 'base64url').toString());
    const authenticated = payload.refuse !== true;
    const user = { username: payload.sub, uid: payload['kubernetes.io']?.serviceaccount?.uid };
    const status = authenticated
      ? { authenticated, user, audiences: payload.noAudiences === true ? undefined : spec.audiences }
      : { authenticated, error: 'token is not known' };
    response.writeHead(201, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const past = Math.floor(Date.now() / 1000) - 7200;
  const future = Math.floor(Date.now() / 1000) + 7200;
  const istiod = (extra: object = {}): string => jwt(claims('istio-system', 'istiod', extra));
  return {
    close: () => stop(server),
    values: {
      ...(await requests()),
      ...signed.values,
      kubernetes: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      jwt_istiod: istiod(),
      jwt_other_account: jwt(claims('istio-system', 'default')),
      jwt_other_namespace: jwt(claims('demo', 'istiod')),
      jwt_expired: istiod({ exp: past }),
      jwt_not_yet: istiod({ nbf: future }),
      jwt_from_the_future: istiod({ iat: future }),
      jwt_refused: istiod({ refuse: true }),
      jwt_no_audiences: istiod({ noAudiences: true }),
      jwt_wrong_algorithm: jwt(claims('istio-system', 'istiod'), 'HS256'),
      jwt_no_uid: jwt({
        ...claims('istio-system', 'istiod'),
        'kubernetes.io': { namespace: 'istio-system', serviceaccount: { name: 'istiod' } },
      }),
      jwt_wrong_user: istiod({ sub: 'system:serviceaccount:istio-system:other' }),
    },
  };
}

function stop(server: Server): void {
  server.closeAllConnections();
  server.close();
}
