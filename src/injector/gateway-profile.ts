import { type GatewayPart, gatewayFiles, gatewayKvKeys } from '../istio/gateway-files.ts';
import { asIstioUser } from './istio-ca-profile.ts';
import { ownPrefix } from './own-options.ts';
import { refusal } from './refusal.ts';
import type { InjectorSettings } from './settings.ts';

export const gatewayAnnotation = `${ownPrefix}gateway-certs`;

/** Agents write in this order: whoever reads a new certificate finds its key. */
const order: readonly GatewayPart[] = ['privateKey', 'caCertificates', 'serverCertificate'];

/**
 * The Vault annotations (without prefix) that `meshroot.io/gateway-certs: PATH` stands for; those that the pod has itself
 * win. The role is the pod's to name: gateways differ in what they may read.
 */
export function gatewayAnnotations(
  all: ReadonlyMap<string, string>,
  settings: InjectorSettings,
): Map<string, string> {
  const path = all.get(gatewayAnnotation) ?? '';
  // it becomes part of a template
  if (!/^[\w.-]+(\/[\w.-]+)+$/.test(path)) {
    throw refusal(`${gatewayAnnotation}: "${path}" is not the path of a secret in Vault`);
  }
  const cluster = all.get(`${ownPrefix}cluster`) ?? settings.cluster;
  return new Map([
    ['agent-inject', 'true'],
    ...asIstioUser,
    ...(cluster === '' ? [] : [['auth-path', `auth/kubernetes-${cluster}`] as const]),
    ...order.flatMap((part, i): [string, string][] => {
      const name = `gateway-${i + 1}-${gatewayFiles[part]}`; // in order of name
      return [
        [`agent-inject-secret-${name}`, path],
        [`agent-inject-file-${name}`, gatewayFiles[part]],
        [`agent-inject-template-${name}`, template(path, gatewayKvKeys[part])],
        [`error-on-missing-key-${name}`, 'true'],
        [`agent-inject-perms-${name}`, '0640'],
      ];
    }),
  ]);
}

function template(path: string, key: string): string {
  return `{{- with secret "${path}" -}}\n{{ .Data.${key} }}\n{{ end -}}\n`;
}
