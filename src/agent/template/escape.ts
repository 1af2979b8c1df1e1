import { isPrint, runeAt } from './runes.ts';

const html: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\xef\xbf\xbd', // U+FFFD in UTF-8 bytes
};
const js: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

/** template.HTMLEscapeString */
export function escapeHtml(text: string): string {
  return text.replace(/["'&<>\0]/g, (c) => html[c] ?? c);
}

/** template.JSEscapeString */
export function escapeJs(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; ) {
    const { code, width } = runeAt(text, i);
    const c = text.slice(i, i + width);
    if (js[c] !== undefined) out += js[c];
    else if (isPrint(code)) out += c;
    else out += `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
    i += width;
  }
  return out;
}

/** url.QueryEscape */
export function escapeQuery(text: string): string {
  return text.replace(/[^\w.~-]/g, (c) =>
    c === ' ' ? '+' : `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
