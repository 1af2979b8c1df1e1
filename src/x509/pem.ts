import { MeshrootError } from '../lib/errors.ts';

export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
  /** RFC 1421 headers inside the block (`Proc-Type: 4,ENCRYPTED`): never written today, but seen. */
  readonly hasHeaders: boolean;
}

/** A bundle of a few hundred certificates; more is a mistake or an attack. */
export const maxPemSize = 1024 * 1024;

/**
 * All blocks of a PEM text (RFC 7468), in order; text around them is ignored, as OpenSSL and Go do.
 * Takes time in proportion to the text, whatever it holds.
 * @throws MeshrootError `bad-pem` when a block is cut off, its labels differ or its body is not base64
 */
export function pemBlocks(text: string): PemBlock[] {
  if (text.length > maxPemSize) throw badPem(`is longer than ${maxPemSize} characters`);
  const blocks: PemBlock[] = [];
  for (let at = nextBegin(text, 0); at !== -1; ) {
    const end = text.indexOf('-----END ', at);
    const begin = /^-----BEGIN ([A-Z0-9][A-Z0-9 ]{0,40})-----[ \t]*\r?\n/.exec(text.slice(at, at + 80));
    const tail =
      end === -1 ? null : /^-----END ([A-Z0-9][A-Z0-9 ]{0,40})-----/.exec(text.slice(end, end + 60));
    if (begin === null || tail === null) throw cutOff(text);
    const [line, label = ''] = begin;
    if (label !== tail[1]) throw badPem(`a block begins as ${label} and ends as ${tail[1]}`);
    blocks.push(decodeBlock(label, text.slice(at + line.length, end)));
    at = nextBegin(text, end + tail[0].length);
  }
  return blocks;
}

/** Where the next line that begins a block starts, or -1. */
function nextBegin(text: string, from: number): number {
  let at = text.indexOf('-----BEGIN ', from);
  while (at > 0 && text[at - 1] !== '\n') at = text.indexOf('-----BEGIN ', at + 1);
  return at;
}

function cutOff(text: string): MeshrootError {
  const escaped = text.includes('\\n')
    ? 'its line ends are the two characters \\n instead of real ones'
    : undefined;
  return badPem('a block is cut off or has no proper BEGIN and END lines', escaped);
}

/** One block with lines of 64 characters and a newline at the end. */
export function toPem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
  let body = '';
  for (let at = 0; at < base64.length; at += 64) body += `${base64.slice(at, at + 64)}\n`;
  return `-----BEGIN ${label}-----\n${body}-----END ${label}-----\n`;
}

function decodeBlock(label: string, body: string): PemBlock {
  if (body.includes(':')) return { label, der: Buffer.alloc(0), hasHeaders: true };
  const base64 = body.replace(/\s+/g, '');
  const wellFormed = base64.length > 0 && base64.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(base64);
  if (!wellFormed) throw badPem(`the body of a ${label} block is not base64`);
  return { label, der: Buffer.from(base64, 'base64'), hasHeaders: false };
}

function badPem(message: string, hint?: string): MeshrootError {
  return new MeshrootError('bad-pem', `not PEM: ${message}`, hint === undefined ? {} : { hint });
}
