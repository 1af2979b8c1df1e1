import { type ApiObject, fieldsAt, listAt, numberAt, textAt, valueAt } from './fields.ts';
import { humanAge } from './human-age.ts';
import { podSummary } from './pod-summary.ts';

/** One column of `kubectl get`: priority 1 is shown with -o wide only. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer';
  readonly priority: 0 | 1;
  readonly cell: (object: ApiObject, now: number) => string | number;
}

const text = (name: string, cell: Column['cell'], priority: 0 | 1 = 0): Column => ({
  name,
  type: 'string',
  priority,
  cell,
});
const count = (name: string, cell: Column['cell']): Column => ({ name, type: 'integer', priority: 0, cell });

const nameColumn = text('Name', (o) => o.metadata.name ?? '');
const age = text('Age', (o, now) => humanAge(o.metadata.creationTimestamp, now));
const orNone = (value: string): string => (value === '' ? '<none>' : value);
const size =
  (...path: string[]) =>
  (o: ApiObject) => {
    const value = valueAt(o, ...path);
    return Array.isArray(value) ? value.length : Object.keys(fieldsAt(value)).length;
  };
const number =
  (...path: string[]) =>
  (o: ApiObject) =>
    numberAt(o, ...path) ?? 0;
const labelsText = (value: unknown): string =>
  orNone(
    Object.entries(fieldsAt(value))
      .map(([k, v]) => `${k}=${String(v)}`)
      .join(','),
  );
const templateColumns = [
  text('Containers', (o) => containerTexts(o, 'name'), 1),
  text('Images', (o) => containerTexts(o, 'image'), 1),
  text('Selector', (o) => labelsText(valueAt(o, 'spec', 'selector', 'matchLabels')), 1),
];
const containerTexts = (o: ApiObject, field: string): string =>
  listAt(o, 'spec', 'template', 'spec', 'containers')
    .map((c) => textAt(c, field))
    .join(',');
const role = text('Role', (o) => `${textAt(o, 'roleRef', 'kind')}/${textAt(o, 'roleRef', 'name')}`);
const createdAt = text('Created At', (o) => o.metadata.creationTimestamp ?? '');
const subjects = (kind: string) => (o: ApiObject) =>
  listAt(o, 'subjects')
    .filter((s) => textAt(s, 'kind') === kind)
    .map((s) =>
      kind === 'ServiceAccount' ? `${textAt(s, 'namespace')}/${textAt(s, 'name')}` : textAt(s, 'name'),
    )
    .join(', ');
const bindingColumns = [
  nameColumn,
  role,
  age,
  text('Users', subjects('User'), 1),
  text('Groups', subjects('Group'), 1),
  text('ServiceAccounts', subjects('ServiceAccount'), 1),
];
const webhookColumns = [nameColumn, count('Webhooks', size('webhooks')), age];

/** Columns by resource, as k8s.io/kubernetes/pkg/printers/internalversion has them; others show name and age. */
const columnsByResource: Readonly<Record<string, readonly Column[]>> = {
  pods: [
    nameColumn,
    text('Ready', (o, now) => podSummary(o, now).ready),
    text('Status', (o, now) => podSummary(o, now).status),
    text('Restarts', (o, now) => podSummary(o, now).restarts),
    age,
    text('IP', (o) => orNone(textAt(o, 'status', 'podIP')), 1),
    text('Node', (o) => orNone(textAt(o, 'spec', 'nodeName')), 1),
    text('Nominated Node', (o) => orNone(textAt(o, 'status', 'nominatedNodeName')), 1),
    text('Readiness Gates', () => '<none>', 1),
  ],
  'deployments.apps': [
    nameColumn,
    text('Ready', (o) => `${number('status', 'readyReplicas')(o)}/${number('spec', 'replicas')(o)}`),
    count('Up-to-date', number('status', 'updatedReplicas')),
    count('Available', number('status', 'availableReplicas')),
    age,
    ...templateColumns,
  ],
  'replicasets.apps': [
    nameColumn,
    count('Desired', number('spec', 'replicas')),
    count('Current', number('status', 'replicas')),
    count('Ready', number('status', 'readyReplicas')),
    age,
    ...templateColumns,
  ],
  nodes: [
    nameColumn,
    text('Status', nodeStatus),
    text('Roles', () => '<none>'),
    age,
    text('Version', (o) => textAt(o, 'status', 'nodeInfo', 'kubeletVersion')),
    text('Internal-IP', (o) => nodeAddress(o), 1),
  ],
  namespaces: [nameColumn, text('Status', (o) => textAt(o, 'status', 'phase')), age],
  secrets: [nameColumn, text('Type', (o) => textAt(o, 'type')), count('Data', size('data')), age],
  configmaps: [nameColumn, count('Data', (o) => size('data')(o) + size('binaryData')(o)), age],
  serviceaccounts: [nameColumn, count('Secrets', size('secrets')), age],
  services: [
    nameColumn,
    text('Type', (o) => textAt(o, 'spec', 'type')),
    text('Cluster-IP', (o) => orNone(textAt(o, 'spec', 'clusterIP'))),
    text('External-IP', () => '<none>'),
    text('Port(s)', (o) =>
      orNone(
        listAt(o, 'spec', 'ports')
          .map((p) => `${numberAt(p, 'port')}/${textAt(p, 'protocol')}`)
          .join(','),
      ),
    ),
    age,
    text('Selector', (o) => labelsText(valueAt(o, 'spec', 'selector')), 1),
  ],
  endpoints: [nameColumn, text('Endpoints', endpointsText), age],
  events: [
    text('Last Seen', (o, now) => humanAge(textAt(o, 'lastTimestamp') || o.metadata.creationTimestamp, now)),
    text('Type', (o) => textAt(o, 'type')),
    text('Reason', (o) => textAt(o, 'reason')),
    text('Object', (o) => {
      const about = valueAt(o, 'involvedObject');
      return `${textAt(about, 'kind').toLowerCase()}/${textAt(about, 'name')}`;
    }),
    text('Message', (o) => textAt(o, 'message').trim()),
  ],
  'roles.rbac.authorization.k8s.io': [nameColumn, createdAt],
  'clusterroles.rbac.authorization.k8s.io': [nameColumn, createdAt],
  'rolebindings.rbac.authorization.k8s.io': bindingColumns,
  'clusterrolebindings.rbac.authorization.k8s.io': bindingColumns,
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': webhookColumns,
  'validatingwebhookconfigurations.admissionregistration.k8s.io': webhookColumns,
  'leases.coordination.k8s.io': [nameColumn, text('Holder', (o) => textAt(o, 'spec', 'holderIdentity')), age],
  'customresourcedefinitions.apiextensions.k8s.io': [nameColumn, createdAt],
};

export const columnsOf = (resource: string): readonly Column[] =>
  columnsByResource[resource] ?? [nameColumn, age];

function nodeStatus(node: ApiObject): string {
  const ready = listAt(node, 'status', 'conditions').find((c) => textAt(c, 'type') === 'Ready');
  const status = ready === undefined ? 'Unknown' : textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return valueAt(node, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status;
}

function nodeAddress(node: ApiObject): string {
  const address = listAt(node, 'status', 'addresses').find((a) => textAt(a, 'type') === 'InternalIP');
  return orNone(textAt(address, 'address'));
}

function endpointsText(endpoints: ApiObject): string {
  const all = listAt(endpoints, 'subsets').flatMap((subset) =>
    listAt(subset, 'addresses').flatMap((address) => {
      const ports = listAt(subset, 'ports').map((p) => `${textAt(address, 'ip')}:${numberAt(p, 'port')}`);
      return ports.length > 0 ? ports : [textAt(address, 'ip')];
    }),
  );
  const more = all.length > 3 ? ` + ${all.length - 3} more...` : '';
  return orNone(all.slice(0, 3).join(',') + more);
}
