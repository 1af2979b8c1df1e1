import type { Fields } from './fields.ts';
import { groupVersionOf, type Kind, kinds } from './kinds.ts';
import { pathOf } from './request-info.ts';

const groupVersions = [...new Set(kinds.map(groupVersionOf))];
const rootOf = (groupVersion: string): string => (groupVersion === 'v1' ? 'api/v1' : `apis/${groupVersion}`);

/**
 * OpenAPI v3 as far as kubectl needs it: which kinds have a PATCH with `fieldValidation`, so that it leaves validation
 * to the server (the reviews too, though they have none). No schemas: `kubectl explain` has nothing to show, and kubectl merges by its own built-in types.
 * @returns the answer to `/openapi/v3` or one of its documents, or undefined
 */
export function openapi(path: string): Fields | undefined {
  if (path === '/openapi/v3') {
    const entries = groupVersions.map((gv) => [
      rootOf(gv),
      { serverRelativeURL: `/openapi/v3/${rootOf(gv)}` },
    ]);
    return { paths: Object.fromEntries(entries) };
  }
  const groupVersion = groupVersions.find((gv) => path === `/openapi/v3/${rootOf(gv)}`);
  if (groupVersion === undefined) return undefined;
  const served = kinds.filter((k) => groupVersionOf(k) === groupVersion);
  return {
    openapi: '3.0.0',
    info: { title: 'meshroot sandbox', version: '1' },
    paths: Object.fromEntries(
      served.map((k) => [pathOf(k, k.namespaced ? '{namespace}' : '', '{name}'), item(k)]),
    ),
    components: { schemas: {} },
  };
}

const parameter = (name: string): Fields => ({
  name,
  in: 'query',
  schema: { type: 'string', uniqueItems: true },
});

function item(kind: Kind): Fields {
  const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
  return {
    patch: {
      operationId: `patch${kind.kind}`,
      parameters: [parameter('dryRun'), parameter('fieldManager'), parameter('fieldValidation')],
      requestBody: { content: { 'application/merge-patch+json': { schema: { type: 'object' } } } },
      responses: { 200: { description: 'OK' } },
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': gvk,
    },
  };
}
