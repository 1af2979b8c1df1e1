import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface TestVault {
  address: string;
  /** `METHOD path` of all requests. */
  readonly requests: string[];
  /** KV version 1 data by path; change it to rotate. */
  readonly data: Record<string, Readonly<Record<string, unknown>> | undefined>;
  /** Status instead of an answer, by path. */
  readonly broken: Record<string, number | undefined>;
  /** Set it to make every connection break. */
  down: boolean;
  /** Answers of paths that it does not know by itself. */
  readonly answers: Record<string, TestAnswer | undefined>;
  close(): Promise<void>;
}

export type TestAnswer = (
  body: unknown,
  headers: IncomingHttpHeaders,
  socket: Socket,
) => GivenAnswer | Promise<GivenAnswer>;

export interface GivenAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The few paths of a Vault that an agent with Kubernetes login and KV version 1 needs; for tests. */
export async function testVault(leaseSeconds = 3600, tls?: ServerOptions): Promise<TestVault> {
  const requests: string[] = [];
  const data: TestVault['data'] = {};
  const broken: TestVault['broken'] = {};
  const answers: TestVault['answers'] = {};
  let logins = 0;
  const vault: TestVault = {
    address: '',
    down: false,
    requests,
    data,
    broken,
    answers,
    close: () => closed(server),
  };
  const answer = (path: string): unknown => {
    if (/^(auth\/kubernetes-c1\/login|auth\/token\/renew-self)$/.test(path)) {
      if (path.endsWith('login')) logins++;
      const auth = {
        client_token: `token-${logins}`,
        lease_duration: leaseSeconds,
        renewable: leaseSeconds > 0,
      };
      return { request_id: 'r', auth };
    }
    if (path.startsWith('sys/internal/ui/mounts/'))
      return { request_id: 'r', data: { path: 'kv/', options: null } };
    const found = data[path];
    return found === undefined ? undefined : { request_id: 'r', lease_duration: 2764800, data: found };
  };
  const server = serverFor(tls, (request, response) => {
    if (vault.down) return void request.socket.destroy();
    const path = (request.url ?? '').replace('/v1/', '');
    requests.push(`${request.method} ${path}`);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const own = broken[path] === undefined ? answers[path] : undefined;
      if (own !== undefined) {
        const text = Buffer.concat(chunks).toString();
        const given = await own(text === '' ? undefined : JSON.parse(text), request.headers, request.socket);
        response
          .writeHead(given.status, given.headers)
          .end(given.body === undefined ? '' : JSON.stringify(given.body));
        return;
      }
      const status = broken[path];
      const body = answer(path);
      if (status !== undefined) response.writeHead(status).end('{"errors":["permission denied"]}');
      else if (body === undefined) response.writeHead(404).end('{"errors":[]}');
      else response.writeHead(200).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  vault.address = `http${tls === undefined ? '' : 's'}://127.0.0.1:${port}`;
  return vault;
}

function serverFor(tls: ServerOptions | undefined, listener: RequestListener): Server {
  return tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
