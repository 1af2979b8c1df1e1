import { messageOf } from '../../../lib/errors.ts';
import { isRecord } from '../../../lib/records.ts';
import {
  type Crl,
  type CrlOptions,
  isCrlSignedBy,
  parseCrl,
  type RevokedCertificate,
  signCrl,
} from '../../../x509/crl.ts';
import { extension } from '../../../x509/extensions.ts';
import { pemBlocks, toPem } from '../../../x509/pem.ts';
import type { Context, Route } from '../../core/backend.ts';
import { fromBase64 } from '../../core/base64.ts';
import {
  coerceFields,
  type Fields,
  listOf,
  numberOf,
  type Schema,
  textOf,
  toSeconds,
} from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { listAlgorithm } from './crl-keeper.ts';
import { colonHex, withWarnings } from './format.ts';
import { findIssuer, noIssuerText, requireSigner, type Signer, usageText } from './issuers.ts';
import { isObjectId } from './object-id.ts';

const schema: Schema = {
  crl_number: 'int',
  delta_crl_base_number: 'int',
  next_update: 'string',
  format: 'string',
};

/** Revocation lists of the caller's making, signed by an issuer of ours: several merged to one, or one from a table. */
export const signListRoutes = (): Route[] => [
  {
    path: 'issuer/:issuer_ref/resign-crls',
    fields: { ...schema, crls: 'list' },
    operations: { update: resign },
  },
  {
    path: 'issuer/:issuer_ref/sign-revocation-list',
    fields: { ...schema, revoked_certs: 'any', extensions: 'any' },
    operations: { update: signTable },
  },
];

interface Asked extends Pick<CrlOptions, 'number' | 'deltaBase'> {
  /** Milliseconds. */
  readonly life: number;
  readonly format: 'pem' | 'der';
}

/** @throws Refusal 400 */
function askedOf(fields: Fields): Asked {
  const format = textOf(fields, 'format', 'pem').toLowerCase();
  if (format !== 'pem' && format !== 'der')
    throw refuse(`unknown format value of ${textOf(fields, 'format')}`);
  const life = secondsOf(textOf(fields, 'next_update', '72h'));
  if (life <= 0) throw refuse('next_update parameter must be greater than 0');
  const number = numberOf(fields, 'crl_number');
  if (number < 0) throw refuse('crl_number parameter must be 0 or greater');
  const base = numberOf(fields, 'delta_crl_base_number', -1);
  if (base < -1) throw refuse('delta_crl_base_number parameter must be -1 or greater');
  if (Math.max(number, base) > maxNumber) throw refuse(`the number of a list must not be above ${maxNumber}`);
  return { format, number, life: life * 1000, ...(base === -1 ? {} : { deltaBase: base }) };
}

const maxNumber = 2 ** 31 - 1;

function secondsOf(text: string): number {
  try {
    return toSeconds(text);
  } catch (error) {
    throw refuse(`invalid value for next_update: ${messageOf(error)}`);
  }
}

/** @throws Refusal 400, where the other paths of the engine answer 500 */
function signerOf({ store, fields }: Context): Signer {
  const reference = textOf(fields, 'issuer_ref');
  const issuer = findIssuer(store, reference);
  if (issuer === undefined) throw refuse(`failed to resolve issuer issuer_ref: ${noIssuerText(reference)}`);
  if (!issuer.usage.includes('crl-signing')) throw refuse(usageText(issuer, 'crl-signing'));
  return requireSigner(store, issuer.id, 'crl-signing');
}

async function signed(
  { clock }: Context,
  signer: Signer,
  { format, life, ...asked }: Asked,
  content: Pick<CrlOptions, 'revoked' | 'extensions'>,
): Promise<Fields> {
  const now = clock.now();
  const crl = await signCrl({
    issuer: signer,
    thisUpdate: now,
    nextUpdate: now + life,
    algorithm: listAlgorithm(signer, signer.stored.revocationAlgorithm),
    ...asked,
    ...content,
  });
  return { crl: format === 'der' ? crl.toString('base64') : toPem('X509 CRL', crl) };
}

async function resign(context: Context): Promise<Result> {
  const asked = askedOf(context.fields);
  const lists = listOf(context.fields, 'crls').map(parsedList);
  const signer = signerOf(context);
  const stranger = lists.findIndex((list) => !isCrlSignedBy(list, signer.certificate));
  if (stranger !== -1) throw refuse(`CRL index: ${stranger} was not signed by requested issuer`);
  const { revoked, warnings } = merged(lists);
  return { data: await signed(context, signer, asked, { revoked }), ...withWarnings(warnings) };
}

function parsedList(text: string, i: number): Crl {
  try {
    if (pemBlocks(text).length !== 1) throw refuse('invalid crl; should be one PEM block only');
    return parseCrl(text);
  } catch (error) {
    throw refuse(`failed decoding crl ${i}: ${messageOf(error)}`);
  }
}

/** Each serial number once, with the first of its times. */
function merged(lists: readonly Crl[]): {
  readonly revoked: RevokedCertificate[];
  readonly warnings: string[];
} {
  const times = new Map<string, number>();
  const warnings: string[] = [];
  for (const { serial, time } of lists.flatMap(({ revoked }) => revoked)) {
    const known = times.get(serial);
    if (known !== undefined && known !== time) {
      const what = `Duplicate serial ${colonHex(serial)} with different revocation times detected`;
      warnings.push(`${what}, using oldest revocation time`);
    }
    times.set(serial, Math.min(known ?? time, time));
  }
  return { revoked: [...times].map(([serial, time]) => ({ serial, time })), warnings };
}

async function signTable(context: Context): Promise<Result> {
  const asked = askedOf(context.fields);
  const { revoked_certs: rows, extensions } = context.fields;
  const content = {
    revoked: revokedRows(Array.isArray(rows) ? rows : []),
    extensions: extensionRows(Array.isArray(extensions) ? extensions : []),
  };
  return { data: await signed(context, signerOf(context), asked, content) };
}

/** What is no object is passed over, as upstream does; a serial number twice is not. @throws Refusal 400 */
function revokedRows(rows: readonly unknown[]): RevokedCertificate[] {
  const seen = new Map<string, number>();
  return rows.flatMap((row, i) => {
    if (!isRecord(row)) return [];
    const serial = within(`failed parsing serial_number from entry ${i}`, () => serialOf(row));
    const before = seen.get(serial);
    if (before !== undefined) {
      throw refuse(
        `duplicate serial number: ${String(row.serial_number)}, original entry ${before} and ${i}`,
      );
    }
    seen.set(serial, i);
    const time = within(`failed parsing revocation_time from entry ${i}`, () => timeOf(row));
    const extensions = within(`failed parsing extensions from entry ${i}`, () => ownExtensions(row));
    return [{ serial, time, extensions }];
  });
}

/** Says where it was when the work throws. @throws Refusal 400 */
function within<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw refuse(`${where}: ${messageOf(error)}`);
  }
}

/** Lower-case hex without zeros in front. */
function serialOf({ serial_number: said }: Fields): string {
  if (said === undefined) throw new Error("missing 'serial_number' field");
  const hex = String(said).replace(/[:.\- ]/g, '');
  const wrong = /[^0-9a-fA-F]/u.exec(hex)?.[0];
  const failed = "'serial_number' failed converting to bytes: encoding/hex:";
  if (wrong !== undefined) {
    const code = (wrong.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw new Error(`${failed} invalid byte: U+${code} '${wrong}'`);
  }
  if (hex.length % 2 === 1) throw new Error(`${failed} odd length hex string`);
  const bytes = hex.toLowerCase().replace(/^(00)+(?=..)/, '');
  if (bytes.length > 2 * maxSerialBytes)
    throw new Error(`'serial_number' is longer than ${maxSerialBytes} bytes`);
  return bytes === '' ? '00' : bytes;
}

/** RFC 5280, 4.1.2.2. */
const maxSerialBytes = 20;

/** In ms, of seconds or RFC 3339. */
function timeOf({ revocation_time: said }: Fields): number {
  if (said === undefined) throw new Error("missing 'revocation_time' field");
  const isText = typeof said === 'string' && !/^\d+$/.test(said);
  const isTime = isText && /^\d{4}-\d{2}-\d{2}T/.test(said);
  const ms = isText ? (isTime ? Date.parse(said) : Number.NaN) : Number(said) * 1000;
  if (Number.isFinite(ms)) return Math.floor(ms / 1000) * 1000;
  throw new Error(`failed parsing time ${String(said)}: could not parse string as date and time`);
}

function ownExtensions({ extensions }: Fields): Buffer[] {
  if (extensions === undefined || extensions === null || extensions === '') return [];
  if (!Array.isArray(extensions)) throw new Error("'extensions' field did not contain a slice");
  return extensionRows(extensions);
}

/** What this list says of itself nobody else may say. */
const reserved: Readonly<Record<string, string>> = {
  '2.5.29.35': 'authority key',
  '2.5.29.20': 'crl number',
  '2.5.29.27': 'delta crl',
};

function extensionRows(rows: readonly unknown[]): Buffer[] {
  const seen = new Set<string>();
  return rows.map((row, i) => {
    if (!isRecord(row)) throw refuse(`extension entry ${i} not a map`);
    const { id, encoded } = within(`failed parsing extension entry ${i}`, () => extensionOf(row));
    if (seen.has(id)) throw refuse(`duplicate extension id: ${id}`);
    seen.add(id);
    return encoded;
  });
}

function extensionOf(row: Fields): { readonly id: string; readonly encoded: Buffer } {
  const id = identifierOf(row.id);
  const what = reserved[id];
  if (what !== undefined) throw new Error(`${what} object identifier (${id}) is reserved`);
  const { critical } = coerceFields({ critical: 'bool' }, { critical: row.critical });
  if (row.value === undefined) throw new Error("missing 'value' field");
  const value = fromBase64(String(row.value), "failed base64 decoding 'value' field: ");
  return { id, encoded: extension(id, critical === true, value) };
}

/** A dotted object identifier that has an encoding. @throws Error */
function identifierOf(said: unknown): string {
  if (said === undefined) throw new Error('missing id field');
  const text = String(said);
  if (text === '') throw new Error('zero length object identifier');
  if (isObjectId(text)) return text;
  const arcs = text.split('.');
  const wrong = arcs.findIndex((arc) => !/^\d{1,9}$/.test(arc));
  if (wrong !== -1) {
    const reason = `strconv.Atoi: parsing ${JSON.stringify(arcs[wrong])}: invalid syntax`;
    throw new Error(`failed parsing asn1 index element ${wrong} value ${arcs[wrong]}: ${reason}`);
  }
  throw new Error(`${text} is no object identifier`);
}
