import { parseCertificates } from '../../x509/certificate.ts';
import type { Fetched } from '../fetch.ts';
import { secretValue } from '../template/secret-value.ts';
import { fromUtf8, GoSlice, GoStruct, type GoValue, toUtf8 } from '../template/values.ts';

/** What the templates read, by the name of the dependency, as it is sealed. */
export interface Snapshot {
  /** Milliseconds since the epoch. */
  readonly takenAt: number;
  /** End of the first certificate in it to end, or null without one. Milliseconds since the epoch. */
  readonly endsAt: number | null;
  readonly entries: Readonly<Record<string, Stored>>;
}

export type Stored =
  | { readonly kind: 'secret'; readonly text: string }
  | { readonly kind: 'list'; readonly keys: readonly string[] }
  | { readonly kind: 'file'; readonly text: string }
  | {
      readonly kind: 'pems';
      readonly type: string;
      readonly renewAt: number;
      readonly fields: Readonly<Record<string, string | readonly string[]>>;
    };

export function takeSnapshot(known: ReadonlyMap<string, Fetched>, now: number): Snapshot {
  const entries = Object.fromEntries([...known].map(([name, fetched]) => [name, stored(fetched)]));
  const ends = [...known.values()].flatMap(endsOf);
  return { takenAt: now, endsAt: ends.length === 0 ? null : Math.min(...ends), entries };
}

function stored(fetched: Fetched): Stored {
  if (fetched.kind === 'secret') return { kind: 'secret', text: fetched.text };
  if (fetched.kind !== 'pems') return fetched;
  const { type, fields } = fetched.value;
  const plain = [...fields].map(
    ([k, v]) => [k, v instanceof GoSlice ? v.items.map(String) : String(v)] as const,
  );
  return { kind: 'pems', type, renewAt: fetched.renewAt, fields: Object.fromEntries(plain) };
}

export function restored(from: Stored): Fetched {
  if (from.kind === 'secret') return { ...from, secret: secretValue(fromUtf8(from.text)) };
  if (from.kind !== 'pems') return from;
  const fields = new Map<string, GoValue>(
    Object.entries(from.fields).map(([k, v]) => [k, typeof v === 'string' ? v : new GoSlice('[]string', v)]),
  );
  const text = Object.values(from.fields).flat().join('');
  return { kind: 'pems', value: new GoStruct(from.type, fields), renewAt: from.renewAt, text };
}

/** Ends of the certificates in an answer; text that only looks like one counts for nothing. */
function endsOf(fetched: Fetched): number[] {
  if (fetched.kind === 'list') return [];
  const text = fetched.kind === 'secret' ? toUtf8(fetched.text).replaceAll('\\n', '\n') : fetched.text;
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((pem) => {
    try {
      return parseCertificates(pem).map(({ notAfter }) => notAfter);
    } catch {
      return [];
    }
  });
}
