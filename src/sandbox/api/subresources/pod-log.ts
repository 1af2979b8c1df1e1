import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { messageOf } from '../../../lib/errors.ts';
import type { ApiReply, Call, KubeletClient } from '../exchange.ts';
import { type ApiObject, listAt, numberAt, textAt } from '../fields.ts';
import { resourceOf } from '../kinds.ts';
import { badRequest, internal, notFound, StatusError } from '../status-error.ts';

const passedOn = ['follow', 'tailLines', 'previous', 'sinceSeconds', 'sinceTime', 'timestamps', 'limitBytes'];

/** `GET pods/NAME/log`: asked of the kubelet that runs the pod, at the address in its Node. */
export async function readPodLog(call: Call): Promise<ApiReply> {
  const { kind, namespace, name } = call.info;
  const pod = call.around.store.get(resourceOf(kind), namespace, name);
  if (pod === undefined) throw notFound(kind, name);
  const container = chooseContainer(pod, call.request.query.get('container') ?? '');
  const nodeName = textAt(pod, 'spec', 'nodeName');
  if (nodeName === '') return { status: 204 }; // nobody runs it yet
  const { host, port } = kubeletAddress(call, nodeName);
  const query = new URLSearchParams();
  for (const key of passedOn) {
    const value = call.request.query.get(key);
    if (value !== null) query.set(key, value);
  }
  const path = `/containerLogs/${namespace}/${name}/${container}${query.size > 0 ? `?${query}` : ''}`;
  if (call.around.kubelet === undefined)
    throw internal('this API server has no client certificate for kubelets');
  const response = await ask(call.around.kubelet, host, port, path, call.request.signal);
  const status = response.statusCode ?? 500;
  if (status === 200) return { status, stream: response, contentType: 'text/plain' };
  throw refusal(status, (await textOf(response)).trim());
}

function chooseContainer(pod: ApiObject, asked: string): string {
  const names = listAt(pod, 'spec', 'containers').map((c) => textAt(c, 'name'));
  const inits = listAt(pod, 'spec', 'initContainers').map((c) => textAt(c, 'name'));
  const name = pod.metadata.name ?? '';
  if (asked !== '') {
    if (names.includes(asked) || inits.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  if (names.length === 1 && names[0] !== undefined) return names[0];
  const others = inits.length > 0 ? ` or one of the init containers: [${inits.join(' ')}]` : '';
  throw badRequest(
    `a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]${others}`,
  );
}

function kubeletAddress(call: Call, nodeName: string): { host: string; port: number } {
  const node = call.around.store.get('nodes', '', nodeName);
  if (node === undefined) {
    throw new StatusError(404, 'NotFound', `nodes "${nodeName}" not found`, {
      name: nodeName,
      kind: 'nodes',
    });
  }
  const addresses = listAt(node, 'status', 'addresses');
  const internalIp = addresses.find((a) => textAt(a, 'type') === 'InternalIP');
  const host = textAt(internalIp, 'address');
  const port = numberAt(node, 'status', 'daemonEndpoints', 'kubeletEndpoint', 'Port');
  if (host === '' || port === undefined) throw internal(`no preferred addresses found; known addresses: []`);
  return { host, port };
}

function ask(
  client: KubeletClient,
  host: string,
  port: number,
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { ca, certificate: cert } = client;
    const request = httpsRequest(
      { host, port, path, ca, cert, key: client.key(), agent: false, signal },
      resolve,
    );
    request.on('error', (error) => {
      const url = `https://${host}:${port}${path}`;
      reject(internal(`Get "${url}": ${messageOf(error)}`));
    });
    request.end();
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** The kubelet's plain text, as the Status that a client of the API server gets. */
function refusal(status: number, text: string): StatusError {
  const reasons: Readonly<Record<number, string>> = { 400: 'BadRequest', 404: 'NotFound', 403: 'Forbidden' };
  if (status === 404)
    return new StatusError(404, 'NotFound', `the server could not find the requested resource (${text})`);
  return new StatusError(status, reasons[status] ?? 'InternalError', text === '' ? 'unknown' : text);
}
