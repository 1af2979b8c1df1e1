import { refuse } from '../../core/refusal.ts';

/**
 * Metadata of a secret id as people give it: a JSON object of texts, the same in base64, or `k=v,k=v`.
 * @throws Refusal 400
 */
export function parseMetadata(text: string): Readonly<Record<string, string>> {
  if (text === '') return {};
  return fromJson(text) ?? fromJson(Buffer.from(text, 'base64').toString('utf8')) ?? fromPairs(text);
}

function fromJson(text: string): Record<string, string> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const pairs = Object.entries(value);
    return pairs.every(([, item]) => typeof item === 'string')
      ? (Object.fromEntries(pairs) as Record<string, string>)
      : undefined;
  } catch {
    return undefined;
  }
}

function fromPairs(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => pair.trim());
  return Object.fromEntries(
    pairs
      .filter((pair) => pair !== '')
      .map((pair) => {
        const sign = pair.indexOf('=');
        if (sign < 1)
          throw refuse('failed to parse metadata: it is neither a JSON object of strings nor k=v pairs');
        return [pair.slice(0, sign).trim(), pair.slice(sign + 1).trim()];
      }),
  );
}
