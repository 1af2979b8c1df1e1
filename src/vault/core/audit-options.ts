import { toSeconds } from './fields.ts';
import { refuse } from './refusal.ts';

/** How a device writes, read from the texts of its options. */
export interface AuditStyle {
  /** Nothing hashed: for development alone. */
  readonly logRaw: boolean;
  readonly hashAccessors: boolean;
  /** Lists are recorded by their length. */
  readonly elideLists: boolean;
  /** Before each line. */
  readonly prefix: string;
  /** Milliseconds that a socket may take for one record. */
  readonly writeTimeout: number;
}

const defaultTimeout = 2000;

/** @throws Refusal 400 in upstream's words */
export function auditStyle(options: Readonly<Record<string, string>>): AuditStyle {
  const { format = 'json', write_timeout: timeout = '' } = options;
  if (format === 'jsonx') {
    throw refuse(
      'jsonx formatting has been removed, consider switching to json by omitting "format" or setting it to "json"',
    );
  }
  if (format !== 'json') throw refuse(`unknown format type "${format}"`);
  return {
    logRaw: flag(options, 'log_raw', false),
    hashAccessors: flag(options, 'hmac_accessor', true),
    elideLists: flag(options, 'elide_list_responses', false),
    prefix: options.prefix ?? '',
    writeTimeout: timeout === '' ? defaultTimeout : milliseconds(timeout),
  };
}

function flag(options: Readonly<Record<string, string>>, name: string, otherwise: boolean): boolean {
  const said = options[name];
  if (said === undefined) return otherwise;
  if (/^(1|t|true)$/i.test(said)) return true;
  if (/^(0|f|false)$/i.test(said)) return false;
  throw refuse(`strconv.ParseBool: parsing ${JSON.stringify(said)}: invalid syntax`);
}

function milliseconds(text: string): number {
  try {
    return toSeconds(text) * 1000;
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}
