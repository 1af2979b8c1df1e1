/** What a client wants its objects turned into. */
export type Representation = 'object' | 'Table' | 'PartialObjectMetadata' | 'APIGroupDiscoveryList';

export interface Accepted {
  readonly format: 'json' | 'yaml';
  readonly as: Representation;
  /** Version of the representation: `v1` or `v1beta1` for tables, `v2` for discovery. */
  readonly version: string;
}

const representations: Readonly<Record<string, Representation>> = {
  Table: 'Table',
  PartialObjectMetadata: 'PartialObjectMetadata',
  PartialObjectMetadataList: 'PartialObjectMetadata',
  APIGroupDiscoveryList: 'APIGroupDiscoveryList',
};

const plain: Accepted = { format: 'json', as: 'object', version: 'v1' };

/**
 * The first clause of an Accept header that can be served. Protobuf and CBOR clauses are passed over, since every
 * client that offers them also takes JSON; when nothing fits, JSON is sent anyway and its Content-Type says so.
 */
export function parseAccept(header: string | undefined): Accepted {
  for (const clause of (header ?? '').split(',')) {
    const [type = '', ...rest] = clause.split(';').map((part) => part.trim());
    const format = formatOf(type);
    if (format === undefined) continue;
    const parameters = new Map(rest.map((p): [string, string] => splitOnce(p)));
    const as = parameters.get('as');
    if (as === undefined) return { ...plain, format };
    const representation = Object.hasOwn(representations, as) ? representations[as] : undefined;
    if (representation !== undefined) {
      return { format, as: representation, version: parameters.get('v') ?? 'v1' };
    }
  }
  return plain;
}

function formatOf(type: string): Accepted['format'] | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  return type === 'application/yaml' ? 'yaml' : undefined;
}

function splitOnce(parameter: string): [string, string] {
  const at = parameter.indexOf('=');
  return at < 0 ? [parameter, ''] : [parameter.slice(0, at), parameter.slice(at + 1)];
}
