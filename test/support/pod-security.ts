type Fields = Readonly<Record<string, unknown>>;

/** Volumes that the profile "restricted" allows. */
const volumeTypes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

/**
 * What a pod does against the profile "restricted" of https://kubernetes.io/docs/concepts/security/pod-security-standards/
 * (Linux pods); empty: nothing.
 */
export function restrictedViolations(spec: Fields): string[] {
  const pod = fields(spec.securityContext);
  const containers = ['initContainers', 'containers', 'ephemeralContainers'].flatMap((key) =>
    list(spec[key]),
  );
  return [
    ...['hostNetwork', 'hostPID', 'hostIPC'].filter((key) => spec[key] === true),
    ...list(spec.volumes).flatMap((volume) =>
      Object.keys(volume)
        .filter((key) => key !== 'name' && !volumeTypes.has(key))
        .map((key) => `volume ${volume.name}: ${key}`),
    ),
    ...(list(pod.sysctls).length > 0 ? ['sysctls'] : []),
    ...(pod.runAsUser === 0 ? ['pod: runAsUser 0'] : []),
    ...containers.flatMap((container) =>
      ofContainer(container, pod).map((problem) => `container ${container.name}: ${problem}`),
    ),
  ];
}

function ofContainer(container: Fields, pod: Fields): string[] {
  const own = fields(container.securityContext);
  const capabilities = fields(own.capabilities);
  const seccomp = fields(own.seccompProfile ?? pod.seccompProfile).type;
  const problems: [boolean, string][] = [
    [own.privileged === true, 'privileged'],
    [own.allowPrivilegeEscalation !== false, 'allowPrivilegeEscalation is not false'],
    [(own.runAsNonRoot ?? pod.runAsNonRoot) !== true, 'runAsNonRoot is not true'],
    [own.runAsUser === 0, 'runAsUser 0'],
    [seccomp !== 'RuntimeDefault' && seccomp !== 'Localhost', 'no seccompProfile'],
    [!texts(capabilities.drop).includes('ALL'), 'does not drop ALL'],
    [texts(capabilities.add).some((name) => name !== 'NET_BIND_SERVICE'), 'adds capabilities'],
    [own.procMount !== undefined && own.procMount !== 'Default', 'procMount'],
    [list(container.ports).some(({ hostPort }) => hostPort !== undefined && hostPort !== 0), 'hostPort'],
    [fields(own.windowsOptions).hostProcess === true, 'hostProcess'],
  ];
  return problems.filter(([wrong]) => wrong).map(([, text]) => text);
}

const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.map(fields) : []);
const texts = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
