import { type ApiObject, fieldsAt, isFields, listAt, textAt, valueAt } from './fields.ts';
import { type Kind, resourceOf } from './kinds.ts';
import { type FieldError, invalid } from './status-error.ts';

const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const label1035Text =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

interface NameRule {
  readonly pattern: RegExp;
  readonly text: string;
  readonly length: number;
}

const nameRules: Readonly<Record<Kind['nameRule'], NameRule>> = {
  label: { pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, text: labelText, length: 63 },
  label1035: { pattern: /^[a-z]([-a-z0-9]*[a-z0-9])?$/, text: label1035Text, length: 63 },
  subdomain: {
    pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    text: subdomainText,
    length: 253,
  },
  path: { pattern: /^(?!\.{1,2}$)[^/%]+$/, text: "may not contain '/' or '%'", length: 253 },
};

const required = (field: string, why = ''): FieldError => ({
  field,
  reason: 'FieldValueRequired',
  message: why === '' ? 'Required value' : `Required value: ${why}`,
});
const wrong = (field: string, value: unknown, why: string): FieldError => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
});
const unsupported = (field: string, value: string, allowed: readonly string[]): FieldError => ({
  field,
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: "${value}": supported values: ${allowed.map((a) => `"${a}"`).join(', ')}`,
});

/**
 * The checks that catch what people get wrong: names, required fields, sizes, references that cannot hold.
 * @throws StatusError 422 with all findings at once
 */
export function validate(kind: Kind, object: ApiObject, old?: ApiObject): void {
  const errors = [
    ...validateMetadata(kind, object),
    ...(validators[resourceOf(kind)]?.(object) ?? []),
    ...(old === undefined ? [] : (immutables[resourceOf(kind)]?.(object, old) ?? [])),
  ];
  if (errors.length > 0) throw invalid(kind, object.metadata.name ?? '', errors);
}

function validateMetadata(kind: Kind, object: ApiObject): FieldError[] {
  const { name = '', labels = {}, annotations = {} } = object.metadata;
  if (name === '') return [required('metadata.name', 'name or generateName is required')];
  const errors: FieldError[] = [];
  const rule = nameRules[kind.nameRule];
  if (name.length > rule.length) {
    errors.push(wrong('metadata.name', name, `must be no more than ${rule.length} characters`));
  } else if (!rule.pattern.test(name)) errors.push(wrong('metadata.name', name, rule.text));
  for (const [key, value] of Object.entries(labels)) errors.push(...validateLabel(key, value));
  const size = Object.entries(annotations).reduce((sum, [k, v]) => sum + k.length + String(v).length, 0);
  if (size > 262_144) {
    errors.push({
      field: 'metadata.annotations',
      reason: 'FieldValueInvalid',
      message: 'Too long: may not be more than 262144 bytes',
    });
  }
  return errors;
}

function validateLabel(key: string, value: unknown): FieldError[] {
  if (!/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(key)) {
    return [
      wrong(
        'metadata.labels',
        key,
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      ),
    ];
  }
  if (typeof value === 'string' && /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(value))
    return [];
  return [
    wrong(
      'metadata.labels',
      value,
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ),
  ];
}

const validators: Readonly<Record<string, (object: ApiObject) => FieldError[]>> = {
  pods: (pod) => validatePodSpec(pod.spec, 'spec'),
  'deployments.apps': validateWorkload,
  'replicasets.apps': validateWorkload,
  secrets: validateSecret,
  configmaps: (map) =>
    tooLong('', { ...fieldsAt(map, 'data'), ...fieldsAt(map, 'binaryData') }, (v) => v.length),
  services: (service) =>
    listAt(service, 'spec', 'ports').length === 0 &&
    textAt(service, 'spec', 'type') !== 'ExternalName' &&
    textAt(service, 'spec', 'clusterIP') !== 'None'
      ? [required('spec.ports')]
      : [],
  'rolebindings.rbac.authorization.k8s.io': validateBinding,
  'clusterrolebindings.rbac.authorization.k8s.io': validateBinding,
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': validateWebhooks,
  'validatingwebhookconfigurations.admissionregistration.k8s.io': validateWebhooks,
};

function validatePodSpec(spec: unknown, at: string): FieldError[] {
  const containers = listAt(spec, 'containers');
  if (containers.length === 0) return [required(`${at}.containers`)];
  const volumes = new Set(listAt(spec, 'volumes').map((v) => textAt(v, 'name')));
  const seen = new Set<string>();
  const check = (list: readonly unknown[], field: string) =>
    list.flatMap((container, i) => validateContainer(container, `${at}.${field}[${i}]`, volumes, seen));
  return [
    ...check(containers, 'containers'),
    ...check(listAt(spec, 'initContainers'), 'initContainers'),
    ...validateChoice(textAt(spec, 'restartPolicy'), `${at}.restartPolicy`, ['Always', 'OnFailure', 'Never']),
  ];
}

function validateChoice(value: string, field: string, allowed: readonly string[]): FieldError[] {
  return value === '' || allowed.includes(value) ? [] : [unsupported(field, value, allowed)];
}

function validateContainer(
  container: unknown,
  at: string,
  volumes: Set<string>,
  seen: Set<string>,
): FieldError[] {
  const errors: FieldError[] = [];
  const name = textAt(container, 'name');
  if (name === '') errors.push(required(`${at}.name`));
  else if (!nameRules.label.pattern.test(name)) errors.push(wrong(`${at}.name`, name, labelText));
  else if (seen.has(name)) {
    errors.push({ field: `${at}.name`, reason: 'FieldValueInvalid', message: `Duplicate value: "${name}"` });
  }
  seen.add(name);
  if (textAt(container, 'image') === '') errors.push(required(`${at}.image`));
  listAt(container, 'volumeMounts').forEach((mount, i) => {
    const volume = textAt(mount, 'name');
    if (!volumes.has(volume)) {
      errors.push({
        field: `${at}.volumeMounts[${i}].name`,
        reason: 'FieldValueInvalid',
        message: `Not found: "${volume}"`,
      });
    }
    if (textAt(mount, 'mountPath') === '') errors.push(required(`${at}.volumeMounts[${i}].mountPath`));
  });
  return errors;
}

function validateWorkload(object: ApiObject): FieldError[] {
  const selector = valueAt(object, 'spec', 'selector');
  const labels = fieldsAt(object, 'spec', 'template', 'metadata', 'labels');
  const errors = validatePodSpec(valueAt(object, 'spec', 'template', 'spec'), 'spec.template.spec');
  if (!isFields(selector)) errors.push(required('spec.selector'));
  const missing = Object.entries(fieldsAt(selector, 'matchLabels')).some(([key, v]) => labels[key] !== v);
  if (missing) {
    errors.push(
      wrong('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'),
    );
  }
  return errors;
}

const maxSecret = 1024 * 1024;

function tooLong(field: string, data: object, size: (value: string) => number): FieldError[] {
  const total = Object.values(data).reduce((sum: number, v: unknown) => sum + size(String(v)), 0);
  if (total <= maxSecret) return [];
  return [
    { field, reason: 'FieldValueInvalid', message: `Too long: may not be more than ${maxSecret} bytes` },
  ];
}

function validateSecret(secret: ApiObject): FieldError[] {
  const data = fieldsAt(secret, 'data');
  const errors = tooLong('data', data, (v) => Math.floor((v.length * 3) / 4));
  for (const key of Object.keys(data)) {
    if (!/^[-._a-zA-Z0-9]+$/.test(key)) {
      errors.push(
        wrong(
          `data[${key}]`,
          key,
          "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        ),
      );
    }
  }
  const account = secret.metadata.annotations?.['kubernetes.io/service-account.name'] ?? '';
  if (secret.type === 'kubernetes.io/service-account-token' && account === '') {
    errors.push(required('metadata.annotations[kubernetes.io/service-account.name]'));
  }
  if (secret.type === 'kubernetes.io/tls') {
    for (const key of ['tls.crt', 'tls.key']) if (!(key in data)) errors.push(required(`data[${key}]`));
  }
  return errors;
}

function validateBinding(binding: ApiObject): FieldError[] {
  const errors = validateChoice(textAt(binding, 'roleRef', 'kind'), 'roleRef.kind', ['Role', 'ClusterRole']);
  if (textAt(binding, 'roleRef', 'name') === '') errors.push(required('roleRef.name'));
  listAt(binding, 'subjects').forEach((subject, i) => {
    if (textAt(subject, 'name') === '') errors.push(required(`subjects[${i}].name`));
    const allowed = ['ServiceAccount', 'User', 'Group'];
    errors.push(...validateChoice(textAt(subject, 'kind'), `subjects[${i}].kind`, allowed));
    if (textAt(subject, 'kind') === 'ServiceAccount' && textAt(subject, 'namespace') === '') {
      errors.push(required(`subjects[${i}].namespace`));
    }
  });
  return errors;
}

function validateWebhooks(configuration: ApiObject): FieldError[] {
  return listAt(configuration, 'webhooks').flatMap((hook, i) => {
    const at = `webhooks[${i}]`;
    const errors: FieldError[] = [];
    if (textAt(hook, 'name').split('.').length < 3) {
      errors.push(
        wrong(
          `${at}.name`,
          textAt(hook, 'name'),
          'should be a domain with at least three segments separated by dots',
        ),
      );
    }
    if (textAt(hook, 'sideEffects') === '') {
      errors.push(required(`${at}.sideEffects`, 'must specify one of None, NoneOnDryRun'));
    }
    if (listAt(hook, 'admissionReviewVersions').length === 0) {
      errors.push(required(`${at}.admissionReviewVersions`, 'must specify one of v1, v1beta1'));
    }
    const url = textAt(hook, 'clientConfig', 'url');
    const service = isFields(valueAt(hook, 'clientConfig', 'service'));
    if ((url !== '') === service) {
      errors.push(required(`${at}.clientConfig`, 'exactly one of url or service is required'));
    }
    return errors;
  });
}

const frozen = (field: string, value: unknown, old: unknown): FieldError[] =>
  JSON.stringify(value) === JSON.stringify(old) ? [] : [wrong(field, value, 'field is immutable')];

const immutables: Readonly<Record<string, (object: ApiObject, old: ApiObject) => FieldError[]>> = {
  'deployments.apps': (o, old) =>
    frozen('spec.selector', valueAt(o, 'spec', 'selector'), valueAt(old, 'spec', 'selector')),
  'rolebindings.rbac.authorization.k8s.io': sameRole,
  'clusterrolebindings.rbac.authorization.k8s.io': sameRole,
  secrets: (o, old) => frozen('type', o.type, old.type),
  pods: (o, old) =>
    frozen('spec.initContainers', fixedSpec(o), fixedSpec(old)).map((e) => ({
      ...e,
      field: 'spec',
      reason: 'FieldValueForbidden',
      message:
        'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
    })),
};

function sameRole(binding: ApiObject, old: ApiObject): FieldError[] {
  if (JSON.stringify(binding.roleRef) === JSON.stringify(old.roleRef)) return [];
  return [wrong('roleRef', goRoleRef(binding.roleRef), 'field is immutable')];
}

/** A roleRef as Go prints its own type. */
const goRoleRef = (ref: unknown): object => ({
  APIGroup: textAt(ref, 'apiGroup'),
  Kind: textAt(ref, 'kind'),
  Name: textAt(ref, 'name'),
});

/** What of a pod cannot be changed; nodeName may be set once, by the scheduler. */
function fixedSpec(pod: ApiObject): unknown {
  const withoutImages = (list: readonly unknown[]) =>
    list.map((container) => {
      const { image: _, ...rest } = isFields(container) ? container : {};
      return rest;
    });
  const keys = [
    'volumes',
    'serviceAccountName',
    'restartPolicy',
    'nodeSelector',
    'automountServiceAccountToken',
  ];
  return [
    ...keys.map((key) => valueAt(pod, 'spec', key)),
    withoutImages(listAt(pod, 'spec', 'containers')),
    withoutImages(listAt(pod, 'spec', 'initContainers')),
  ];
}
