import type { KubeApi } from '../kube/api.ts';
import { Secret } from '../lib/secret.ts';
import type { PodRef, ReviewToken } from './ca-token-review.ts';

/** Asks the API server: a token counts only for an audience that was asked for, and dies with its pod at once. */
export function clusterReviewer(api: Pick<KubeApi, 'tokenReview'>): ReviewToken {
  return async (token, audiences) => {
    const verdict = await api.tokenReview(new Secret(token), audiences);
    const { username = '', groups, error } = verdict;
    const meant = verdict.audiences.some((audience) => audiences.includes(audience));
    if (!verdict.authenticated || !meant) {
      return {
        authenticated: false,
        username,
        groups,
        error: error ?? `it is not for audience ${audiences.join(', ')}`,
      };
    }
    return { authenticated: true, username, groups, pod: podOf(verdict.extra) };
  };
}

/** The bound pod, as the API server tells it beside the user. */
function podOf(extra: Readonly<Record<string, readonly string[]>>): PodRef | undefined {
  const name = extra['authentication.kubernetes.io/pod-name']?.[0];
  const uid = extra['authentication.kubernetes.io/pod-uid']?.[0];
  return name === undefined || uid === undefined ? undefined : { name, uid };
}
