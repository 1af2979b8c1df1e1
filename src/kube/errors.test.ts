import { expect, test } from 'vitest';
import { answerError, transportError } from './errors.ts';

const status = (reason: string, message: string, code: number) => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason,
  message,
  code,
});

test.each([
  [401, 'Unauthorized', 'Unauthorized', 'kube-unauthorized'],
  [403, 'Forbidden', 'pods is forbidden: User "x" cannot list resource "pods"', 'kube-forbidden'],
  [404, 'NotFound', 'pods "x" not found', 'kube-not-found'],
  [409, 'AlreadyExists', 'pods "x" already exists', 'kube-already-exists'],
  [409, 'Conflict', 'the object has been modified', 'kube-conflict'],
  [410, 'Expired', 'too old resource version: 1 (5)', 'kube-expired'],
  [422, 'Invalid', 'Pod "x" is invalid: spec.containers: Required value', 'kube-invalid'],
])('a Status %i %s keeps its text and gets a code', (http, reason, message, code) => {
  expect(answerError(http, status(reason, message, http), 'GET /x')).toMatchObject({
    code,
    message,
    reason,
    status: http,
  });
});

test('a denial by a webhook is told from a missing permission', () => {
  const message = 'admission webhook "vault.hashicorp.com" denied the request: no role';
  expect(answerError(403, status('Forbidden', message, 403), 'POST')).toMatchObject({
    code: 'kube-admission-denied',
    message,
  });
});

test('who sends no credentials is told that, and not of permissions', () => {
  const message = 'pods is forbidden: User "system:anonymous" cannot list resource "pods"';
  expect(answerError(403, status('Forbidden', message, 403), 'GET')).toMatchObject({
    code: 'kube-forbidden',
    message,
    hint: expect.stringMatching(/^the kubeconfig has no credentials/),
  });
});

test('a webhook that cannot be called says what to look at', () => {
  const message = 'Internal error occurred: failed calling webhook "x": connection refused';
  const error = answerError(500, status('InternalError', message, 500), 'POST');
  expect(error.code).toBe('kube-webhook-failed');
  expect(error.hint).toContain('caBundle');
});

test('an answer that is not a Status is read by its HTTP status', () => {
  expect(answerError(503, '<html>', 'GET /api')).toMatchObject({
    code: 'kube-unavailable',
    message: 'the API server answered 503 to GET /api',
  });
});

test('no answer names the server, and a foreign certificate is told apart', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
  expect(transportError(refused, 'https://127.0.0.1:1')).toMatchObject({
    code: 'kube-unreachable',
    message: 'no answer from the API server https://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
  });
  const foreign = Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(transportError(foreign, 'https://a').code).toBe('kube-untrusted');
});
