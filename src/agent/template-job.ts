import { readFile } from 'node:fs/promises';
import { basename, dirname, normalize } from 'node:path';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { TemplateSettings } from './config/config.ts';
import type { SetVerifier } from './sets/verifier.ts';
import type { FunctionTable } from './template/functions/define.ts';
import { rareFunctions } from './template/functions/rare-functions.ts';

/** A template with its text read. */
export interface TemplateJob {
  readonly settings: TemplateSettings;
  readonly contents: string;
  /** Functions that only some templates need. */
  readonly more: FunctionTable | undefined;
}

/** Templates whose files are only good together. */
export interface JobGroup {
  /** Undefined for a template of its own. */
  readonly set: { readonly folder: string; readonly verifier: SetVerifier } | undefined;
  readonly jobs: readonly TemplateJob[];
}

/** @throws MeshrootError when a `source` cannot be read */
export async function readJobs(
  templates: readonly TemplateSettings[],
  now: () => number,
): Promise<TemplateJob[]> {
  return Promise.all(
    templates.map(async (settings) => {
      const contents = await textOf(settings);
      return { settings, contents, more: await rareFunctions(contents, now) };
    }),
  );
}

async function textOf({ source, contents }: TemplateSettings): Promise<string> {
  if (source === undefined) return contents ?? '';
  return readFile(source, 'utf8').catch((error: unknown) => {
    throw new MeshrootError('template-source', `failed to read template: ${messageOf(error)}`, { exit: 1 });
  });
}

/** Finds the sets: all files that a verifier wants, written to one folder, by whatever templates. */
export function groupJobs(jobs: readonly TemplateJob[], verifiers: readonly SetVerifier[]): JobGroup[] {
  const files = jobs.filter(({ settings }) => settings.envName === undefined);
  const folders = new Set(files.map(folderOf));
  const sets: JobGroup[] = [];
  for (const folder of folders) {
    const here = files.filter((job) => folderOf(job) === folder);
    for (const verifier of verifiers) {
      const members = here.filter((job) => verifier.files.includes(basename(job.settings.destination)));
      const names = new Set(members.map((job) => basename(job.settings.destination)));
      if (names.size === verifier.files.length) sets.push({ set: { folder, verifier }, jobs: members });
    }
  }
  const taken = new Set(sets.flatMap((group) => group.jobs));
  const single = jobs.filter((job) => !taken.has(job)).map((job) => ({ set: undefined, jobs: [job] }));
  return [...sets, ...single];
}

function folderOf({ settings }: TemplateJob): string {
  return dirname(normalize(settings.destination));
}
