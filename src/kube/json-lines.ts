import { StringDecoder } from 'node:string_decoder';

/** One JSON value per line, however the bytes are cut into chunks. A broken line is an error. */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new StringDecoder('utf8');
  const parts: string[] = [];
  for await (const chunk of chunks) {
    const text = decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      parts.push(text.slice(start, end));
      const line = parts.join('');
      parts.length = 0;
      start = end + 1;
      if (line.trim() !== '') yield JSON.parse(line);
    }
    if (start < text.length) parts.push(text.slice(start));
  }
  const rest = parts.join('');
  if (rest.trim() !== '') yield JSON.parse(rest);
}
