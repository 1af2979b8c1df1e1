import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { InjectionPolicy } from './policy.ts';

const texts = z.array(z.string().min(1));
const schema = z.strictObject({
  rules: z.array(
    z.strictObject({
      namespaces: texts.min(1),
      stores: texts.optional(),
      authPaths: texts.optional(),
      roles: texts.optional(),
      images: texts.optional(),
      configMaps: texts.optional(),
      patches: z.boolean().optional(),
      skipVerify: z.boolean().optional(),
    }),
  ),
  otherwise: z.enum(['allow', 'refuse']).default('refuse'),
});

/** Reads a policy as YAML or JSON. @throws MeshrootError `bad-policy` */
export function parsePolicy(text: string): InjectionPolicy {
  let document: unknown;
  try {
    document = parse(text, { logLevel: 'error' });
  } catch (error) {
    throw badPolicy(messageOf(error).split('\n')[0] ?? '');
  }
  const read = schema.safeParse(document);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw badPolicy(`${issue?.path.join('.') || 'the document'}: ${issue?.message ?? 'cannot be read'}`);
}

function badPolicy(why: string): MeshrootError {
  return new MeshrootError('bad-policy', `the policy of the injector cannot be read: ${why}`, {
    hint: 'write for example: {rules: [{namespaces: [demo], roles: [app-*]}], otherwise: refuse}',
  });
}

export interface PolicySource {
  readonly current: InjectionPolicy;
  /** Reads it again when it changes, until aborted. */
  follow(signal: AbortSignal): Promise<void>;
}

/** A mounted ConfigMap is swapped by a symbolic link: looking at the content always notices. */
const pollMs = 1000;

/** A policy kept in a file; one that cannot be read any more leaves the last good one in force. */
export async function policyFile(path: string, clock: Clock, log: Logger): Promise<PolicySource> {
  let text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw badPolicy(messageOf(error));
  });
  let current = parsePolicy(text);
  const look = async (): Promise<void> => {
    const next = await readFile(path, 'utf8');
    if (next === text) return;
    text = next; // told once, whatever it is
    current = parsePolicy(next);
    log.info('policy reloaded', { file: path, rules: current.rules.length });
  };
  return {
    get current() {
      return current;
    },
    follow: async (signal) => {
      let problem = '';
      while (!signal.aborted) {
        await clock.sleep(pollMs, signal).catch(() => {});
        const found = await look().then(() => '', messageOf);
        if (found !== '' && found !== problem) log.error('the last good policy stays', { error: found });
        problem = found;
      }
    },
  };
}
