import type { Call } from '../exchange.ts';
import { type Fields, fieldsAt, textAt } from '../fields.ts';
import { badRequest, conflict } from '../status-error.ts';
import { updateObject } from '../verbs/update.ts';

/** `POST pods/NAME/binding`: a scheduler gives the pod its node. */
export async function bindPod(call: Call, body: Fields): Promise<void> {
  const node = textAt(body, 'target', 'name');
  if (node === '') throw badRequest('Binding "" is invalid: target.name: Required value');
  const { kind, name } = call.info;
  await updateObject(call, (pod) => {
    const bound = textAt(pod, 'spec', 'nodeName');
    if (bound !== '') throw conflict(kind, name, `pod ${name} is already assigned to node "${bound}"`);
    return { ...pod, spec: { ...fieldsAt(pod, 'spec'), nodeName: node } };
  });
}
