import { z } from 'zod';
import { meshSchema } from './schema.ts';

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/** The schema of mesh.yaml as JSON Schema, for naming allowed words. */
function longSchema(): JsonSchema {
  made ??= z.toJSONSchema(meshSchema, { io: 'input' }) as JsonSchema;
  return made;
}
let made: JsonSchema | undefined;

/** The same with the shorthands, for editors. */
export function meshJsonSchema(): object {
  const schema = longSchema();
  const root = { anyOf: [{ const: 'offline' }, schema.properties?.root] };
  return { ...schema, properties: { ...schema.properties, root } };
}

/** The keys that the schema allows at `path`. */
export function knownKeys(path: readonly PropertyKey[]): string[] {
  let node: JsonSchema | undefined = longSchema();
  for (const step of path) node = typeof step === 'number' ? node?.items : node?.properties?.[String(step)];
  return Object.keys(node?.properties ?? {});
}
