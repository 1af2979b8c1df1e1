import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Reads `+PGID` and `-PGID`; at the end of input (our end by any means, SIGKILL included) ends every group that is left:
 * TERM, up to five seconds, KILL.
 */
const script = `
trap '' HUP INT TERM PIPE
groups=' '
while IFS= read -r line; do
  group=\${line#?}
  case $line in
    +*) groups="$groups$group " ;;
    -*) case $groups in *" $group "*) groups="\${groups%%" $group "*} \${groups#*" $group "}" ;; esac ;;
  esac
done
for group in $groups; do kill -s TERM -- "-$group" 2>/dev/null; done
tries=0
while [ $tries -lt 50 ]; do
  left=
  for group in $groups; do kill -s 0 -- "-$group" 2>/dev/null && left=yes; done
  [ -z "$left" ] && exit 0
  sleep 0.1
  tries=$((tries + 1))
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
`;

/** Makes sure that no process group outlives this process. */
export interface Reaper {
  /** Resolves when the helper knows the group; only then may the group do anything. */
  add(group: number): Promise<void>;
  remove(group: number): void;
  /** Ends whatever is still registered, and the helper. */
  close(): Promise<void>;
}

/** Starts the helper: one small shell, in its own session so that a Ctrl-C at the terminal does not reach it. */
export function startReaper(): Reaper {
  const child = spawn('/bin/sh', ['-c', script, 'meshroot-reaper'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
  });
  child.stdin.on('error', () => {}); // the helper is gone; add() reports it
  child.unref();
  return {
    add: (group) => write(child, `+${group}\n`),
    remove: (group) => void write(child, `-${group}\n`).catch(() => {}),
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.ref();
      child.stdin?.end();
      await ended;
    },
  };
}

function write(child: ChildProcess, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (child.stdin === null) return reject(new Error('the reaper has no input'));
    child.stdin.write(line, (error) => (error ? reject(error) : resolve()));
  });
}
