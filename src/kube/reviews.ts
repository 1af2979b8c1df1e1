import { isRecord } from '../lib/records.ts';
import { Secret } from '../lib/secret.ts';
import type { AccessQuestion, IssuedToken, TokenRequestOptions, TokenReviewResult } from './api.ts';
import { KubeError } from './errors.ts';
import { recordOf, textOf } from './kube-object.ts';

/** Bodies and answers of the review kinds, which are questions rather than objects. */

export function tokenRequestBody(options: TokenRequestOptions): object {
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {},
    spec: {
      audiences: options.audiences ?? [],
      ...(options.expirationSeconds === undefined ? {} : { expirationSeconds: options.expirationSeconds }),
      ...(options.boundPod === undefined
        ? {}
        : { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', ...options.boundPod } }),
    },
  };
}

export function parseIssuedToken(answer: unknown): IssuedToken {
  const status = recordOf(recordOf(answer).status);
  const token = textOf(status.token);
  const expiresAt = Date.parse(textOf(status.expirationTimestamp));
  if (token === '' || Number.isNaN(expiresAt)) {
    throw new KubeError('kube-bad-answer', 'the API server answered a TokenRequest without a token');
  }
  return { token: new Secret(token), expiresAt };
}

export function tokenReviewBody(token: Secret<string>, audiences: readonly string[] | undefined): object {
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    metadata: {},
    spec: { token: token.reveal(), ...(audiences === undefined ? {} : { audiences }) },
  };
}

export function parseTokenReview(answer: unknown): TokenReviewResult {
  const status = recordOf(recordOf(answer).status);
  const user = recordOf(status.user);
  return {
    authenticated: status.authenticated === true,
    ...optionalText('error', status.error),
    ...optionalText('username', user.username),
    ...optionalText('uid', user.uid),
    groups: texts(user.groups),
    audiences: texts(status.audiences),
    extra: Object.fromEntries(
      Object.entries(recordOf(user.extra)).map(([key, value]) => [key, texts(value)]),
    ),
  };
}

export function accessReviewBody(question: AccessQuestion): object {
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: {},
    spec: question,
  };
}

export function selfAccessReviewBody(attributes: object): object {
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    metadata: {},
    spec: { resourceAttributes: attributes },
  };
}

export function parseAccessReview(answer: unknown): { allowed: boolean; reason?: string } {
  const status = isRecord(answer) ? recordOf(answer.status) : {};
  return { allowed: status.allowed === true, ...optionalText('reason', status.reason) };
}

function optionalText<K extends string>(key: K, value: unknown): { [key in K]?: string } {
  return typeof value === 'string' && value !== '' ? ({ [key]: value } as { [key in K]: string }) : {};
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
