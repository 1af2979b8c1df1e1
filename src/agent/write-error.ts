import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';

const words: Readonly<Record<string, readonly [string, string]>> = {
  ENOSPC: ['no space left on device', 'make room, or give the volume (an emptyDir has a sizeLimit) more'],
  EDQUOT: ['disk quota exceeded', 'make room, or raise the quota'],
  EROFS: ['read-only file system', 'mount a writable volume there'],
  EACCES: ['permission denied', 'the folder belongs to another user: set runAsUser or fsGroup'],
  EPERM: ['operation not permitted', 'only root may give files to other users'],
  ENOTDIR: ['a part of the path is not a folder', 'what lies there already?'],
  EEXIST: ['a part of the path is not a folder', 'what lies there already?'],
  ENOENT: ['no such folder', 'create it, or set create_dest_dirs'],
};

/** What became of a file that could not be written, in words; the former content is still there. */
export function writeError(destination: string, error: unknown): MeshrootError {
  const [reason, hint] = words[codeOf(error) ?? ''] ?? [messageOf(error), undefined];
  return new MeshrootError('template-write', `failed writing ${destination}: ${reason}`, {
    exit: 1,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
