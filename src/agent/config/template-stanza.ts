import type { TemplateSettings } from './config.ts';
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

/** One `template` stanza. Unlike elsewhere an unknown key is an error here, as in Vault. */
export function readTemplate(section: Section): TemplateSettings {
  section.onlyKnows(keys);
  const source = section.text('source');
  const contents = section.text('contents');
  const destination = section.text('destination') ?? '';
  if ((source === undefined) === (contents === undefined))
    section.fail(
      'a template takes either "source" or "contents"',
      section.entry('source') ?? section.object.entries[0],
    );
  if (destination === '')
    section.fail(
      'a template needs a "destination"',
      section.entry('destination') ?? section.object.entries[0],
    );
  for (const key of ['sandbox_path', 'user', 'group', 'uid', 'gid']) {
    const entry = section.entry(key);
    if (entry !== undefined) section.fail(`"template.${key}" is not supported yet`, entry);
  }
  const exec = section.section('exec');
  const execCommand = exec?.texts('command');
  return {
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
    command: execCommand ?? commandOf(section),
    commandTimeoutMs: exec?.duration('timeout') ?? section.duration('command_timeout') ?? 30_000,
    denylist: [...section.texts('function_denylist'), ...section.texts('function_blacklist')],
  };
}

function commandOf(section: Section): string | readonly string[] | undefined {
  const value = section.entry('command')?.value;
  if (value === undefined || value === null || value === '') return undefined;
  return typeof value === 'string' ? value : section.texts('command');
}
