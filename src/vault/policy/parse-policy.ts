import { messageOf } from '../../lib/errors.ts';
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

/**
 * The rules of an ACL policy in HCL or JSON.
 * @throws HclError; its `message` is what goes behind `failed to parse policy: `
 */
export function parsePolicy(text: string): PathRule[] {
  return parseHcl(text).entries.flatMap((entry) => {
    if (entry.key === 'name') return [];
    if (entry.key !== 'path') throw new HclError(`invalid key "${entry.key}" on line ${entry.line}`, entry);
    return labelledBlocks(entry).map(toRule);
  });
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
  const draft: Draft = { capabilities: new Set() };
  for (const entry of block.body.entries) {
    const read = Object.hasOwn(readers, entry.key) ? readers[entry.key] : undefined;
    if (read === undefined) throw wrong(block, entry, `invalid key "${entry.key}" on line ${entry.line}`);
    read(draft, entry, block);
  }
  const { minWrappingTtl: min, maxWrappingTtl: max } = draft;
  if (min !== undefined && max !== undefined && max !== 0 && max < min) {
    throw wrong(block, block, 'max_wrapping_ttl cannot be less than min_wrapping_ttl');
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
    throw new Error('failed to validate policy templating: unbalanced templating characters');
  }
  if (path.includes('+*')) throw wrong(block, block, "invalid use of wildcards ('+*' is forbidden)");
}

type Reader = (draft: Draft, entry: HclEntry, block: HclBlock) => void;

const ignore: Reader = () => {};

const readers: Readonly<Record<string, Reader>> = {
  capabilities: (draft, entry, block) => {
    for (const name of texts(entry.value, entry, block)) {
      const capability = capabilityNames.find((known) => known === name);
      if (capability === undefined) throw wrong(block, entry, `invalid capability ${JSON.stringify(name)}`);
      draft.capabilities.add(capability);
      if (capability === 'deny') return; // the rest does not matter, and is not looked at
    }
  },
  policy: (draft, entry, block) => {
    const known = typeof entry.value === 'string' ? legacy[entry.value] : undefined;
    if (known === undefined) throw wrong(block, entry, `invalid policy ${JSON.stringify(entry.value)}`);
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
  min_wrapping_ttl: (draft, entry, block) => {
    draft.minWrappingTtl = duration(entry, block);
  },
  max_wrapping_ttl: (draft, entry, block) => {
    draft.maxWrappingTtl = duration(entry, block);
  },
  pagination_limit: (draft, entry, block) => {
    const { value } = entry;
    if (typeof value !== 'number' || !Number.isInteger(value))
      throw wrong(block, entry, '"pagination_limit" must be a whole number');
    draft.paginationLimit = value;
  },
  expiration: (draft, entry, block) => {
    try {
      const at = toTime(entry.value);
      if (!Number.isNaN(at)) draft.expires = at;
    } catch (error) {
      throw wrong(block, entry, `invalid expiration time: ${messageOf(error)}`);
    }
  },
  comment: ignore,
  // Who writes it wants names kept from readers: it must not look as if they were.
  list_scan_response_keys_filter_path: (_draft, entry, block) => {
    throw wrong(block, entry, 'list_scan_response_keys_filter_path is not offered by this server');
  },
};

function texts(value: HclValue, entry: HclEntry, block: HclBlock): string[] {
  const refusal = (): HclError => wrong(block, entry, `"${entry.key}" must be a list of strings`);
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
    if (!isHclObject(group)) throw wrong(block, entry, `"${entry.key}" must be a map of lists`);
    for (const { key, value } of group.entries) {
      const plain = plainValue(value);
      if (!Array.isArray(plain)) throw wrong(block, entry, `"${entry.key}" must be a map of lists`);
      rules.set(key.toLowerCase(), plain);
    }
  }
  return Object.fromEntries(rules);
}

function duration(entry: HclEntry, block: HclBlock): number {
  try {
    return toSeconds(entry.value);
  } catch (error) {
    throw wrong(block, entry, `error parsing ${entry.key}: ${messageOf(error)}`);
  }
}

function wrong(block: HclBlock, at: { line: number; column: number }, reason: string): HclError {
  return new HclError(`path "${block.label}": ${reason}`, at);
}
