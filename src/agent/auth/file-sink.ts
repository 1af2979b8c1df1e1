import { randomBytes } from 'node:crypto';
import { chown, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, MeshrootError, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Secret } from '../../lib/secret.ts';
import type { SinkSettings } from '../config/config.ts';
import type { VaultAccess } from '../vault-access.ts';

/** Writes the token to a file, whole or not at all. */
export class FileSink {
  readonly #settings: SinkSettings;
  readonly #log: Logger;

  constructor(settings: SinkSettings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
  }

  /** Finds out now, not after the first login, whether the folder can be written. @throws MeshrootError */
  async check(): Promise<void> {
    const { path, mode } = this.#settings;
    this.#log.info('creating file sink');
    try {
      const temporary = temporaryName(path);
      await (await open(temporary, 'wx', mode)).close();
      await rm(temporary);
    } catch (error) {
      const reason = codeOf(error) === 'ENOENT' ? `no folder ${dirname(path)}` : messageOf(error);
      throw new MeshrootError('bad-sink', `error creating file sink: error during write check: ${reason}`, {
        exit: 1,
        cause: error,
      });
    }
    this.#log.info('file sink configured', { path, mode: modeText(mode) });
  }

  /** @param access for wrapping; a token that came wrapped is written as it is */
  async write(token: Secret<string>, access: VaultAccess): Promise<void> {
    const { path, mode, uid, gid, wrapTtlMs, encryption } = this.#settings;
    let content = token.reveal();
    if (wrapTtlMs !== undefined || encryption !== undefined) {
      const { sinkPayload } = await import('./sink-payload.ts');
      content = await sinkPayload(this.#settings, token, access);
    }
    const temporary = temporaryName(path);
    try {
      const file = await open(temporary, 'wx', mode);
      try {
        await file.chmod(mode);
        await file.writeFile(content);
      } finally {
        await file.close();
      }
      if (uid !== undefined || gid !== undefined)
        await chown(temporary, uid ?? process.getuid?.() ?? -1, gid ?? process.getgid?.() ?? -1);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    this.#log.info('token written', { path });
  }
}

function temporaryName(path: string): string {
  return join(dirname(path), `.tmp.${randomBytes(4).toString('hex')}`);
}

/** `-rw-r-----` */
function modeText(mode: number): string {
  const bits = [...'rwxrwxrwx'];
  return `-${bits.map((b, i) => ((mode >> (8 - i)) & 1 ? b : '-')).join('')}`;
}
