import { refuse } from './refusal.ts';

/** Standard base64 with its padding, strictly. @throws Refusal 400 in Go's words, behind `what` */
export function fromBase64(text: string, what = ''): Buffer {
  const wrong = /[^A-Za-z0-9+/]/.exec(text.replace(/={0,2}$/, ''));
  if (wrong !== null) throw refuse(`${what}illegal base64 data at input byte ${wrong.index}`);
  if (text.length % 4 !== 0)
    throw refuse(`${what}illegal base64 data at input byte ${text.length - (text.length % 4)}`);
  return Buffer.from(text, 'base64');
}
