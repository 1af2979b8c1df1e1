import http from 'node:http';
import https from 'node:https';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** As it came; of JSON alone. */
  readonly text?: string;
}

/** However a server is reached: over a socket, or called in this process. */
export type Ask = (
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
) => Promise<Answer>;

/** Requests as a client with no library would make them. LIST goes as GET, for Node knows no such verb. */
export function overHttp(address: string): Ask {
  const secure = address.startsWith('https:');
  const agent = secure ? new https.Agent({ rejectUnauthorized: false }) : new http.Agent();
  return (method, path, headers, body) =>
    new Promise((resolve, reject) => {
      const isList = method === 'LIST';
      const { hostname, port } = new URL(address);
      const query = isList ? `${path.includes('?') ? '&' : '?'}list=true` : '';
      const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
      const request = (secure ? https : http).request(
        {
          agent,
          hostname,
          port,
          path: `/v1/${path}${query}`, // as written: a URL would tidy up what a case wants to be untidy
          method: isList ? 'GET' : method,
          headers: { ...headers, ...length },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(text), text }));
          response.on('error', reject);
        },
      );
      request.on('error', reject);
      request.end(body);
    });
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}
