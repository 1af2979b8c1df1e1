import type { NamedAnnotation } from './annotation-facts.ts';
import type { Annotations } from './annotations.ts';
import { parseGoBool } from './go-values.ts';

/** One file that the agents render. */
export interface SecretFile {
  /** NAME as annotated; the key to its other annotations. */
  readonly rawName: string;
  /** File name: NAME in lower case unless the case is preserved. */
  readonly name: string;
  readonly path: string;
  readonly template: string;
  readonly templateFile: string;
  readonly mountPath: string;
  readonly file: string;
  readonly perms: string;
  readonly command: string;
  readonly leftDelimiter: string;
  readonly rightDelimiter: string;
  readonly errorOnMissingKey: boolean;
}

/** The annotations that declare a secret; the longer prefix first, since one is the start of the other. */
const declaring = ['agent-inject-secret', 'agent-inject-template-file', 'agent-inject-template'] as const;

/** Every declared secret, in order of NAME (upstream's order is random). */
export function readSecrets(annotations: Annotations): SecretFile[] {
  return [...declaredNames(annotations)].sort().map((name) => readSecret(annotations, name));
}

function declaredNames(annotations: Annotations): Set<string> {
  const names = new Set<string>();
  for (const annotation of declaring) {
    for (const [name, value] of annotations.allNamed(annotation)) {
      const isFile = annotation === 'agent-inject-template' && name.startsWith('file-');
      if (value.trim() !== '' && name !== '' && !isFile) names.add(name);
    }
  }
  return names;
}

function readSecret(annotations: Annotations, rawName: string): SecretFile {
  const get = (annotation: NamedAnnotation): string => annotations.named(annotation, rawName) ?? '';
  const template = get('agent-inject-template');
  return {
    rawName,
    name: preservesCase(annotations, rawName) ? rawName : rawName.toLowerCase(),
    path: get('agent-inject-secret'),
    template,
    templateFile: template === '' ? get('agent-inject-template-file') : '',
    mountPath: annotations.named('secret-volume-path', rawName) ?? annotations.text('secret-volume-path'),
    file: get('agent-inject-file'),
    perms: get('agent-inject-perms'),
    command: get('agent-inject-command'),
    leftDelimiter: get('agent-template-left-delim') || '{{',
    rightDelimiter: get('agent-template-right-delim') || '}}',
    errorOnMissingKey: parseGoBool(get('error-on-missing-key')),
  };
}

function preservesCase(annotations: Annotations, rawName: string): boolean {
  try {
    return parseGoBool(
      annotations.named('preserve-secret-case', rawName) ?? annotations.text('preserve-secret-case'),
    );
  } catch {
    return false; // as upstream: a bad value here is no error
  }
}
