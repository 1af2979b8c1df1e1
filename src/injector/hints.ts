/** How to mend each refusal. The refusal itself keeps vault-k8s's words; the hint behind it is ours. */
const hints: readonly (readonly [RegExp, string])[] = [
  [/as bool: /, 'write "true" or "false"'],
  [/no Vault role found/, 'name the role in vault.hashicorp.com/role'],
  [/no Vault address found/, 'vault.hashicorp.com/service is empty: remove it or give it a URL'],
  [
    /no Vault Auth Path found/,
    'vault.hashicorp.com/auth-path is empty: remove it or name the mount, e.g. auth/kubernetes',
  ],
  [/no Vault Auth Type found/, 'vault.hashicorp.com/auth-type is empty: remove it or write kubernetes'],
  [/no Vault image found/, 'vault.hashicorp.com/agent-image is empty: remove it or name an image'],
  [
    /failed to find service account volume mount/,
    'no container mounts a service account token: remove automountServiceAccountToken: false, or name a projected volume in vault.hashicorp.com/agent-service-account-token-volume-name',
  ],
  [
    /failed to find service account volume "/,
    'vault.hashicorp.com/agent-service-account-token-volume-name must name a volume of the pod',
  ],
  [/failed to find tokenPath/, 'the volume must be projected with a serviceAccountToken source'],
  [/system namespaces/, 'move the pod to another namespace or remove vault.hashicorp.com/agent-inject'],
  [/quantities must match/, 'write for example 500m, 128Mi or 1Gi'],
  [/backoff as duration/, 'write for example 1s or 5m'],
  [/invalid default template type/, 'write map or json'],
  [
    /RunAsUser is nil|No SecurityContext found/,
    'set runAsUser in the securityContext of the first container',
  ],
  [/shareProcessNamespace explicitly disabled/, 'remove shareProcessNamespace: false from the pod'],
  [/strconv\.Parse(Int|Uint|Float)/, 'write a plain number'],
  [/is not the path of a secret in Vault/, 'write MOUNT/PATH, for example kv/gateways/shop'],
  [
    /this injector writes no ConfigMaps/,
    'start it with -config-maps=true (chart: injector.configMaps), or remove meshroot.io/config-map',
  ],
  [/error parsing JSON patch/, 'write an array of operations as in RFC 6902'],
];

/** The hint for a refusal, or undefined when its text says it all. */
export function hintFor(message: string): string | undefined {
  return hints.find(([pattern]) => pattern.test(message))?.[1];
}
