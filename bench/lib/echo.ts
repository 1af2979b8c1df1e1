import type { Program } from '../../test/support/program.ts';
import { freePorts, start } from '../../test/support/program.ts';

const source = `
const { createServer } = require(process.env.CERT ? 'node:https' : 'node:http');
const body = 'x'.repeat(Number(process.env.SIZE));
createServer({ cert: process.env.CERT, key: process.env.KEY, noDelay: true }, (request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    response.end(body);
  });
}).listen(Number(process.env.PORT), '127.0.0.1');`;

/** The physical limit of HTTP here: a bare node:http(s) server that reads the body and answers so many bytes. */
export async function startEcho(
  size: number,
  scratch: string,
  tls?: { readonly certificate: string; readonly key: string },
): Promise<{ readonly url: string; readonly program: Program }> {
  const [port = 0] = await freePorts(1);
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const program = start([process.execPath, '-e', source], {
    cwd: scratch,
    env: {
      PORT: String(port),
      SIZE: String(size),
      ...(tls === undefined ? {} : { CERT: tls.certificate, KEY: tls.key }),
    },
  });
  await program.until(() => answers(port));
  return { url, program };
}

/** Whether something takes connections there. */
export async function answers(port: number): Promise<boolean> {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const tell = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.on('connect', () => tell(true)).on('error', () => tell(false));
  });
}
