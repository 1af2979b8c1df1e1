import { parseDuration } from '../lib/duration.ts';
import { MeshrootError } from '../lib/errors.ts';

/** `--ttl`, in milliseconds. @throws MeshrootError `bad-ttl`, `bad-duration` */
export function ttlFlag(text: string): number {
  const ttl = parseDuration(text);
  if (ttl > 0) return ttl;
  throw new MeshrootError('bad-ttl', '--ttl must be longer than nothing', {
    hint: 'write for example --ttl 90d',
  });
}
