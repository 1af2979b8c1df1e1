import type { IncomingMessage } from 'node:http';
import { MeshrootError } from '../../lib/errors.ts';

/** Vault's own limit of a request, in bytes. */
const limit = 32 * 1024 * 1024;

/** @throws MeshrootError `body-too-large` */
export async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit)
      throw new MeshrootError('body-too-large', `a body of more than ${limit} bytes is not passed on`, {
        status: 413,
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
