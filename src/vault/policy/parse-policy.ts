import { MeshrootError, messageOf } from '../../lib/errors.ts';
import { parseHcl } from '../../lib/hcl/parse.ts';
import {
  type HclBlock,
  type HclEntry,
  HclError,
  type HclValue,
  isHclObject,
  labelledBlocks,
  plainValue,
} from '../../lib/hcl/tree.ts';
import { toSeconds, toTime } from '../core/fields.ts';
import { type Capability, capabilityNames, type ParameterRules, type PathRule } from './policy.ts';

const legacy: Readonly<Record<string, readonly Capability[]>> = {
  deny: ['deny'],
  read: ['read', 'list'],
  write: ['create', 'read', 'update', 'delete', 'list'],
  sudo: ['create', 'read', 'update', 'delete', 'list', 'sudo'],
};

/** What is wrong with a policy. */
export class PolicyError extends MeshrootError {
  constructor(message: string) {
    super('bad-policy', message);
  }
}

/**
 * The rules of an ACL policy in HCL or JSON.
 * @throws PolicyError; its `message` is what goes behind `failed to parse policy: `: upstream's words about a rule, and its form of
 * a place (`At 1:8: `) where the text itself is broken
 */
export function parsePolicy(text: string): PathRule[] {
  try {
    const { entries } = parseHcl(text);
    refuseUnknownKeys(entries, (key) => key === 'name' || key === 'path', '');
    return entries.filter(({ key }) => key === 'path').flatMap((entry) => labelledBlocks(entry).map(toRule));
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    throw new PolicyError(`At ${error.line}:${error.column}: ${error.reason}`);
  }
}

/** All of them at once, as upstream's CheckHCLKeys. */
function refuseUnknownKeys(
  entries: readonly HclEntry[],
  isKnown: (key: string) => boolean,
  where: string,
): void {
  const wrongs = entries
    .filter(({ key }) => !isKnown(key))
    .map(({ key, line }) => `\t* ${where}invalid key "${key}" on line ${line}\n`);
  if (wrongs.length === 0) return;
  throw new PolicyError(
    `${wrongs.length} error${wrongs.length === 1 ? '' : 's'} occurred:\n${wrongs.join('')}\n`,
  );
}

interface Draft {
  capabilities: Set<Capability>;
  allowed?: ParameterRules;
  denied?: ParameterRules;
  required?: readonly string[];
  minWrappingTtl?: number;
  maxWrappingTtl?: number;
  paginationLimit?: number;
  expires?: number;
}

function toRule(block: HclBlock): PathRule {
  const path = block.label.replace(/^\//, '');
  checkPath(path, block);
  const { entries } = block.body;
  refuseUnknownKeys(entries, (key) => Object.hasOwn(readers, key), `path "${block.label}": `);
  const draft: Draft = { capabilities: new Set() };
  for (const entry of entries) readers[entry.key]?.(draft, entry, block);
  const { minWrappingTtl: min, maxWrappingTtl: max } = draft;
  if (min !== undefined && max !== undefined && max !== 0 && max < min) {
    throw new PolicyError('max_wrapping_ttl cannot be less than min_wrapping_ttl');
  }
  if (draft.capabilities.has('deny')) {
    return {
      path,
      capabilities: new Set(['deny']),
      ...(draft.expires === undefined ? {} : { expires: draft.expires }),
    };
  }
  return { path, ...draft };
}

/** Any other `*` or `+` is a plain character, as in Vault. */
function checkPath(path: string, block: HclBlock): void {
  if (path.split('{{').length !== path.split('}}').length) {
    throw new PolicyError('failed to validate policy templating: unbalanced templating characters');
  }
  if (path.includes('+*')) throw wrong(block, "invalid use of wildcards ('+*' is forbidden)");
}

type Reader = (draft: Draft, entry: HclEntry, block: HclBlock) => void;

const ignore: Reader = () => {};

const readers: Readonly<Record<string, Reader>> = {
  capabilities: (draft, entry, block) => {
    for (const name of texts(entry.value, entry, block)) {
      const capability = capabilityNames.find((known) => known === name);
      if (capability === undefined) throw wrong(block, `invalid capability ${JSON.stringify(name)}`);
      draft.capabilities.add(capability);
      if (capability === 'deny') return; // the rest does not matter, and is not looked at
    }
  },
  policy: (draft, entry, block) => {
    const known = typeof entry.value === 'string' ? legacy[entry.value] : undefined;
    if (known === undefined) throw wrong(block, `invalid policy ${JSON.stringify(entry.value)}`);
    for (const capability of known) draft.capabilities.add(capability);
  },
  allowed_parameters: (draft, entry, block) => {
    draft.allowed = parameters(entry, block);
  },
  denied_parameters: (draft, entry, block) => {
    draft.denied = parameters(entry, block);
  },
  required_parameters: (draft, entry, block) => {
    draft.required = texts(entry.value, entry, block).map((name) => name.toLowerCase());
  },
  min_wrapping_ttl: (draft, entry) => {
    draft.minWrappingTtl = duration(entry);
  },
  max_wrapping_ttl: (draft, entry) => {
    draft.maxWrappingTtl = duration(entry);
  },
  pagination_limit: (draft, entry, block) => {
    const { value } = entry;
    if (typeof value !== 'number' || !Number.isInteger(value))
      throw broken(block, entry, '"pagination_limit" must be a whole number');
    draft.paginationLimit = value;
  },
  expiration: (draft, entry, block) => {
    try {
      const at = toTime(entry.value);
      if (!Number.isNaN(at)) draft.expires = at;
    } catch (error) {
      throw wrong(block, `invalid expiration time: ${messageOf(error)}`);
    }
  },
  comment: ignore,
  // Who writes it wants names kept from readers: it must not look as if they were.
  list_scan_response_keys_filter_path: (_draft, _entry, block) => {
    throw wrong(block, 'list_scan_response_keys_filter_path is not offered by this server');
  },
};

function texts(value: HclValue, entry: HclEntry, block: HclBlock): string[] {
  const refusal = (): PolicyError => broken(block, entry, `"${entry.key}" must be a list of strings`);
  if (!Array.isArray(value)) throw refusal();
  return value.map((item: HclValue) => {
    if (typeof item === 'string') return item;
    throw refusal();
  });
}

function parameters(entry: HclEntry, block: HclBlock): ParameterRules {
  const groups: readonly HclValue[] = Array.isArray(entry.value) ? entry.value : [entry.value as HclValue];
  const rules = new Map<string, readonly unknown[]>();
  for (const group of groups) {
    if (!isHclObject(group)) throw broken(block, entry, `"${entry.key}" must be a map of lists`);
    for (const { key, value } of group.entries) {
      const plain = plainValue(value);
      if (!Array.isArray(plain)) throw broken(block, entry, `"${entry.key}" must be a map of lists`);
      rules.set(key.toLowerCase(), plain);
    }
  }
  return Object.fromEntries(rules);
}

function duration(entry: HclEntry): number {
  try {
    return toSeconds(entry.value);
  } catch (error) {
    throw new PolicyError(`error parsing ${entry.key}: ${messageOf(error)}`);
  }
}

const wrong = (block: HclBlock, reason: string): PolicyError =>
  new PolicyError(`path "${block.label}": ${reason}`);

/** A value of a kind that the key does not take. */
const broken = (block: HclBlock, { line, column }: HclEntry, reason: string): PolicyError =>
  wrong(block, `At ${line}:${column}: ${reason}`);
