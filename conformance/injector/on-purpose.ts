/** Cases in which ours answers otherwise than vault-k8s, and why. The golden still holds what vault-k8s does. */
export const onPurpose: Readonly<Record<string, string>> = {
  'a quantity without digits': 'vault-k8s takes a bare suffix for 0: no limit where one was meant',
  'a patch of an unknown op':
    'refused too, but when the annotation is read: the message names the annotation',
  'a patch without a value':
    'vault-k8s makes a container with an empty name of it, which the API server refuses',
};

/** Refusals of which only the beginning is upstream's: behind it Go's own parsers speak, and ours. */
export const prefixOnly: readonly string[] = [
  'error adding default annotations: error parsing JSON patch for annotation ',
  'error creating patch for agent: failed to apply JSON patch: ',
  'error creating patch for agent: json: ',
  'json: ',
];
