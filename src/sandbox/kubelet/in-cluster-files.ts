import { execFile } from 'node:child_process';
import { MeshrootError } from '../../lib/errors.ts';

/** Where a pod's service account is mounted; programs on client-go's InClusterConfig look nowhere else. */
export const serviceAccountMount = '/var/run/secrets/kubernetes.io/serviceaccount';

/** How to get a mount namespace: as root, else in a user namespace in which we are root. */
const ways: readonly (readonly string[])[] = [
  ['unshare', '--mount'],
  ['unshare', '--map-root-user', '--mount'],
];

let found: Promise<readonly string[]> | undefined;

/**
 * The command before a command that gives it mounts of its own, which nobody else sees and which end with it.
 * @throws MeshrootError `no-mount-namespace`
 */
export function mountNamespace(): Promise<readonly string[]> {
  found ??= firstThatWorks();
  return found;
}

async function firstThatWorks(): Promise<readonly string[]> {
  const errors: string[] = [];
  for (const way of ways) {
    const error = await problemOf([...way, '/bin/sh', '-c', 'mount -t tmpfs tmpfs /var/run/']);
    if (error === undefined) return way;
    errors.push(`${way.join(' ')}: ${error}`);
  }
  throw new MeshrootError(
    'no-mount-namespace',
    `no mounts can be made here for a program that reads ${serviceAccountMount} (${errors.join('; ')})`,
    {
      hint: 'run as root, or allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0',
      exit: 2,
    },
  );
}

function problemOf([file = '', ...args]: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: 5000 }, (error, _stdout, stderr) =>
      resolve(error === null ? undefined : (stderr.trim().split('\n')[0] ?? '') || error.message),
    );
  });
}

/**
 * Covers /run by a copy of itself, as nothing can be made in the real one without root, and mounts $1 at the fixed path.
 * The old /run stays reachable by fd 8 meanwhile, also for what lies below it.
 */
const script = `set -e
run=$(readlink -f /var/run)
exec 8<"$run" 9<"$1"
shift
mount -t tmpfs -o mode=755 tmpfs "$run"
for old in /proc/self/fd/8/*; do
  name=\${old##*/}
  case $name in secrets | mount) continue ;; esac
  if [ -L "$old" ]; then cp -P "$old" "$run/"
  elif [ -d "$old" ]; then mkdir "$run/$name"; mount -c --rbind "$old" "$run/$name" || :
  elif [ -f "$old" ]; then : >"$run/$name"; mount -c --bind "$old" "$run/$name" || :
  fi
done
mkdir -p ${serviceAccountMount}
mount -c --bind /proc/self/fd/9 ${serviceAccountMount}
exec 8<&- 9<&-
exec "$@"
`;

/** `argv`, run so that it sees `folder` at the fixed path of a service account. */
export function withServiceAccount(
  namespace: readonly string[],
  folder: string,
  argv: readonly string[],
): string[] {
  return [...namespace, '/bin/sh', '-c', script, 'sh', folder, ...argv];
}
