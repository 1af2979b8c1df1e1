import type { IncomingMessage } from 'node:http';
import { MeshrootError } from '../lib/errors.ts';

/** An API server refuses objects above 3 MiB; a review holds two of them at most, and a little around. */
const bodyLimit = 8 * 1024 * 1024;

/**
 * The body of an admission request. Type and size are judged before and while it is read, in upstream's words.
 * @throws MeshrootError `bad-content-type`, `empty-body` (400), `body-too-large` (413), `request-cut` (400)
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const type = request.headers['content-type'] ?? '';
    const wrongType = /^application\/json\s*(;|$)/i.test(type) ? undefined : badContentType(type);
    const chunks: Buffer[] = [];
    let size = 0;
    if (Number(request.headers['content-length'] ?? 0) > bodyLimit) return reject(tooLarge());
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > bodyLimit) {
        request.pause();
        reject(tooLarge());
      } else chunks.push(chunk);
    });
    request.on('end', () => {
      const [first = Buffer.alloc(0)] = chunks;
      if (wrongType !== undefined) reject(wrongType);
      else if (size === 0) reject(new MeshrootError('empty-body', 'Empty request body', { status: 400 }));
      else resolve(chunks.length === 1 ? first : Buffer.concat(chunks, size));
    });
    request.on('error', () =>
      reject(new MeshrootError('request-cut', 'the request ended in its middle', { status: 400 })),
    );
  });
}

function tooLarge(): MeshrootError {
  return new MeshrootError('body-too-large', 'Request body is too large', { status: 413 });
}

function badContentType(type: string): MeshrootError {
  return new MeshrootError('bad-content-type', `Invalid content-type: ${JSON.stringify(type)}`, {
    status: 400,
  });
}
