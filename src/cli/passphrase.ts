import { MeshrootError } from '../lib/errors.ts';
import { readLimitedFile } from '../lib/limited-file.ts';
import { Secret } from '../lib/secret.ts';
import type { Io } from './io.ts';

/** Shorter ones are guessed from a stolen file, whatever the stretching. */
const least = 12;

export interface PassphraseOptions {
  /** `--passphrase-file`. */
  readonly file: string | undefined;
  /** A new one: asked for twice, and not too short. */
  readonly fresh: boolean;
}

/**
 * A passphrase from a file that only its owner reads, or from the terminal; never from an argument or the environment,
 * which other processes of the machine can see.
 * @throws MeshrootError `no-passphrase`, `passphrase-file-open`, `passphrase-too-short`
 */
export async function readPassphrase(io: Io, { file, fresh }: PassphraseOptions): Promise<Secret<string>> {
  const text = file === undefined ? await typed(io, fresh) : await fromFile(file);
  if (text === '') throw new MeshrootError('no-passphrase', 'the passphrase is empty', { exit: 1 });
  if (fresh && text.length < least) {
    throw new MeshrootError(
      'passphrase-too-short',
      `a passphrase for a root needs at least ${least} characters`,
      {
        hint: 'five words that do not belong together are easy to keep and hard to guess',
        exit: 1,
      },
    );
  }
  return new Secret(text);
}

async function fromFile(path: string): Promise<string> {
  const found = await readLimitedFile(path, 4096);
  if (found === undefined) throw new MeshrootError('no-passphrase', `${path} is not there`);
  if ((found.mode & 0o077) !== 0) {
    throw new MeshrootError('passphrase-file-open', `${path} can be read by others on this machine`, {
      hint: `chmod 600 ${path}`,
      exit: 1,
    });
  }
  return found.bytes.toString('utf8').replace(/\r?\n$/, '');
}

async function typed(io: Io, fresh: boolean): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new MeshrootError('no-passphrase', 'nobody is there to be asked for the passphrase', {
      hint: 'use --passphrase-file FILE (mode 0600)',
    });
  }
  const { password, isCancel } = await import('@clack/prompts');
  const ask = async (message: string): Promise<string> => {
    const answer = await password({ message, output: io.stderr });
    if (isCancel(answer)) throw new MeshrootError('no-passphrase', 'nothing was done', { exit: 1 });
    return answer ?? '';
  };
  const text = await ask('passphrase of the root key');
  if (fresh && text !== (await ask('the same once more'))) {
    throw new MeshrootError('no-passphrase', 'the two passphrases differ', { exit: 1 });
  }
  return text;
}
