import { destinationOf, tokenFile } from './agent-config.ts';
import type { AgentOptions } from './agent-options.ts';
import type { Annotations } from './annotations.ts';

/** Longer than an agent tries by itself before it gives up, so that its own message is what ends it. */
const patienceSeconds = 600;

/** A file may be rendered empty, a token may not; the shell of a ConfigMap's agent makes an empty one itself. */
const script = 'test -s "$1" || exit 1; shift; for file; do test -e "$file" || exit 1; done';

/**
 * The gate of a native sidecar: the containers behind it start when the probe has succeeded once. Agents say nowhere that
 * they have rendered, but each file appears by one rename, and files of a set all at once: where every file is, all is
 * done. With configuration from a ConfigMap the files are unknown, and a login is all that can be seen.
 */
export function startupProbe(options: AgentOptions, annotations: Annotations): Record<string, unknown> {
  const fromConfigMap = annotations.text('agent-configmap') !== '';
  const files = fromConfigMap ? [] : options.secrets.map(destinationOf);
  return {
    exec: {
      command: ['/bin/sh', '-c', script, 'sh', tokenFile, ...files],
    },
    periodSeconds: 1,
    timeoutSeconds: 5,
    failureThreshold: patienceSeconds,
  };
}
