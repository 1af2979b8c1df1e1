import { parseDuration } from '../../lib/duration.ts';
import type { CommandEnvironment, Quiet, TemplateSettings } from './config.ts';
import type { Section } from './section.ts';

const keys = [
  'source',
  'contents',
  'destination',
  'create_dest_dirs',
  'perms',
  'user',
  'group',
  'uid',
  'gid',
  'backup',
  'left_delimiter',
  'right_delimiter',
  'error_on_missing_key',
  'error_fatal',
  'command',
  'command_timeout',
  'exec',
  'wait',
  'sandbox_path',
  'function_denylist',
  'function_blacklist',
];

/** Of a command that ends by itself: signals for one that stays have no meaning, and are let pass. */
const execKeys = [
  'command',
  'enabled',
  'env',
  'timeout',
  'kill_signal',
  'kill_timeout',
  'reload_signal',
  'splay',
];

/** One `template` stanza. Unlike elsewhere an unknown key is an error here, as in Vault. */
export function readTemplate(section: Section): TemplateSettings {
  section.onlyKnows(keys);
  const destination = section.text('destination') ?? '';
  if (destination === '')
    section.fail(
      'a template needs a "destination"',
      section.entry('destination') ?? section.object.entries[0],
    );
  return readTemplateBody(section, destination);
}

/** What `template` and `env_template` have in common. */
export function readTemplateBody(section: Section, destination: string): TemplateSettings {
  const source = section.text('source');
  const contents = section.text('contents');
  if ((source === undefined) === (contents === undefined))
    section.fail(
      'a template takes either "source" or "contents"',
      section.entry('source') ?? section.object.entries[0],
    );
  const exec = section.section('exec');
  exec?.onlyKnows(execKeys);
  const isOff = exec?.boolean('enabled') === false;
  const command = exec?.texts('command') ?? commandOf(section);
  return {
    envName: undefined,
    source,
    contents,
    destination,
    createDestDirs: section.boolean('create_dest_dirs') ?? true,
    perms: section.integer('perms', 8) || undefined,
    leftDelimiter: section.text('left_delimiter') ?? '{{',
    rightDelimiter: section.text('right_delimiter') ?? '}}',
    errorOnMissingKey: section.boolean('error_on_missing_key') ?? false,
    errorFatal: section.boolean('error_fatal') ?? true,
    backup: section.boolean('backup') ?? false,
    user: owner(section, 'user', 'uid'),
    group: owner(section, 'group', 'gid'),
    wait: readWait(section),
    sandboxPath: section.text('sandbox_path'),
    command: isOff ? undefined : command,
    commandTimeoutMs: exec?.duration('timeout') ?? section.duration('command_timeout') ?? 30_000,
    commandEnvironment: readCommandEnvironment(exec?.section('env')),
    denylist: ['function_denylist', 'function_blacklist'].flatMap((key) => section.texts(key)).flatMap(names),
  };
}

function readCommandEnvironment(env: Section | undefined): CommandEnvironment | undefined {
  if (env === undefined) return undefined;
  env.onlyKnows(['pristine', 'custom', 'allowlist', 'whitelist', 'denylist', 'blacklist']);
  return {
    pristine: env.boolean('pristine') ?? false,
    custom: env.texts('custom'),
    allowlist: [...env.texts('allowlist'), ...env.texts('whitelist')],
    denylist: [...env.texts('denylist'), ...env.texts('blacklist')],
  };
}

/** A number wins over a name; -1 stands for "not set". */
function owner(section: Section, name: string, number: string): string | undefined {
  const id = section.integer(number);
  const text = id === undefined || id < 0 ? section.text(name) : String(id);
  return text === '' ? undefined : text;
}

/** `wait { min = "2s" max = "10s" }` or `"2s:10s"`; max is four times min unless given. */
function readWait(section: Section): Quiet | undefined {
  const entry = section.entry('wait');
  if (entry === undefined || entry.value === null || entry.value === '') return undefined;
  const block = typeof entry.value === 'string' ? undefined : section.section('wait');
  if (block?.boolean('enabled') === false) return undefined;
  const [low, high] = typeof entry.value === 'string' ? entry.value.split(':') : [];
  const minMs = block === undefined ? parseDuration(low ?? '0') : (block.duration('min') ?? 0);
  const maxMs =
    block === undefined ? (high === undefined ? undefined : parseDuration(high)) : block.duration('max');
  if (maxMs !== undefined && maxMs < minMs)
    section.fail('template.wait: max must not be less than min', entry);
  return minMs === 0 ? undefined : { minMs, maxMs: maxMs ?? 4 * minMs };
}

/** One text may name several, as upstream splits it. */
function names(text: string): string[] {
  return text.split(',').map((name) => name.trim());
}

function commandOf(section: Section): string | readonly string[] | undefined {
  const value = section.entry('command')?.value;
  if (value === undefined || value === null || value === '') return undefined;
  return typeof value === 'string' ? value : section.texts('command');
}
