import type { KubeObject } from '../../kube/api.ts';
import { recordOf, textOf } from '../../kube/kube-object.ts';
import { isRecord } from '../../lib/records.ts';

/** The parts of a pod (or of the pods that a Deployment makes) that tell where a CA comes from. */
export interface PodFacts {
  readonly serviceAccount: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly containers: readonly ContainerFacts[];
}

export interface ContainerFacts {
  readonly name: string;
  readonly image: string;
  /** Command and arguments, as one list. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Of a Deployment its template, of a Pod itself; whatever is missing or of another type is empty. */
export function podFacts(object: KubeObject): PodFacts {
  const template = object.kind === 'Pod' ? object : recordOf(recordOf(object.spec).template);
  const spec = recordOf(template.spec);
  return {
    serviceAccount: textOf(spec.serviceAccountName),
    annotations: texts(recordOf(template.metadata).annotations),
    containers: [...list(spec.initContainers), ...list(spec.containers)].map(containerFacts),
  };
}

function containerFacts(container: Record<string, unknown>): ContainerFacts {
  const env = list(container.env).map(({ name, value }) => [textOf(name), textOf(value)] as const);
  return {
    name: textOf(container.name),
    image: textOf(container.image),
    args: [container.command, container.args].flatMap((part) =>
      Array.isArray(part) ? part.filter((word) => typeof word === 'string') : [],
    ),
    env: Object.fromEntries(env),
  };
}

const list = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];

function texts(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(recordOf(value)).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}
