import { constants } from 'node:os';
import type { ExecSettings, TemplateSettings } from './config.ts';
import type { Section } from './section.ts';
import { readTemplateBody } from './template-stanza.ts';

const keys = [
  'contents',
  'source',
  'error_on_missing_key',
  'error_fatal',
  'left_delimiter',
  'right_delimiter',
  'function_denylist',
  'function_blacklist',
];

/** The `env_template "NAME" { … }` blocks. */
export function readEnvTemplates(section: Section): TemplateSettings[] {
  return section.typed('env_template').map(({ type, section: body }) => {
    body.onlyKnows(keys);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(type))
      body.fail(`env_template: "${type}" is no name of an environment variable`, body.object.entries[0]);
    return { ...readTemplateBody(body, type), envName: type };
  });
}

/** The `exec` block. */
export function readExec(section: Section | undefined): ExecSettings | undefined {
  if (section === undefined) return undefined;
  const command = section.texts('command');
  if (command.length === 0) section.fail('exec requires a non-empty "command"', section.entry('command'));
  const restart = section.text('restart_on_secret_changes') ?? 'always';
  if (restart !== 'always' && restart !== 'never')
    section.fail(
      `exec.restart_on_secret_changes must be always or never, not "${restart}"`,
      section.entry('restart_on_secret_changes'),
    );
  return { command, restartOnChange: restart === 'always', stopSignal: signalOf(section) };
}

function signalOf(section: Section): NodeJS.Signals {
  const name = section.text('restart_stop_signal') ?? 'SIGTERM';
  const known = Object.keys(constants.signals).find((signal) => signal === name);
  return (
    (known as NodeJS.Signals | undefined) ??
    section.fail(`exec.restart_stop_signal: unknown signal "${name}"`, section.entry('restart_stop_signal'))
  );
}
