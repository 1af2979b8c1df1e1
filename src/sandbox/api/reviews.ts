import type { Call, Surroundings } from './exchange.ts';
import { type Fields, fieldsAt, isFields, textAt, textsAt, timestamp } from './fields.ts';
import { groupVersionOf } from './kinds.ts';
import type { Attributes, GrantedRule, PolicyRule } from './rbac.ts';
import { serviceAccountIssuer, TokenError } from './service-account-tokens.ts';
import { badRequest } from './status-error.ts';
import type { UserInfo } from './user.ts';

/** The answer to a review: the object that was sent, with its status. */
export async function answerReview(call: Call, body: Fields): Promise<Fields> {
  const { kind } = call.info;
  const answer = reviewers[kind.kind];
  if (answer === undefined) throw badRequest(`${kind.kind} cannot be answered`);
  return {
    kind: kind.kind,
    apiVersion: groupVersionOf(kind),
    metadata: { creationTimestamp: null },
    ...(body.spec === undefined ? {} : { spec: body.spec }),
    ...(await answer(call, fieldsAt(body, 'spec'))),
  };
}

const reviewers: Readonly<Record<string, (call: Call, spec: Fields) => Fields | Promise<Fields>>> = {
  TokenReview: async (call, spec) => ({ status: await reviewToken(call.around, spec) }),
  SubjectAccessReview: (call, spec) => reviewAccess(call.around, userOf(spec), spec),
  LocalSubjectAccessReview: (call, spec) => reviewAccess(call.around, userOf(spec), spec),
  SelfSubjectAccessReview: (call, spec) => reviewAccess(call.around, call.user, spec),
  SelfSubjectRulesReview: (call, spec) => ({ status: rulesOf(call, textAt(spec, 'namespace')) }),
  SelfSubjectReview: (call) => ({
    metadata: { creationTimestamp: timestamp(call.around.clock.now()) },
    status: { userInfo: call.user },
  }),
};

/** `spec.audiences` are those the asker stands for; none means the API server itself. */
async function reviewToken(around: Surroundings, spec: Fields): Promise<Fields> {
  const token = textAt(spec, 'token');
  if (token === '') return { user: {}, error: '[token is empty]' };
  const asked = textsAt(spec, 'audiences');
  try {
    const audiences = asked.length > 0 ? asked : [serviceAccountIssuer];
    const verified = await around.tokens.verify(token, audiences);
    return { authenticated: true, user: verified.user, audiences: verified.audiences };
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    const generic = 'invalid bearer token';
    const text = error.message === generic ? generic : `[${generic}, ${error.message}]`;
    return { user: {}, error: text };
  }
}

function userOf(spec: Fields): UserInfo {
  const username = textAt(spec, 'user');
  const groups = textsAt(spec, 'groups');
  if (username === '' && groups.length === 0) {
    throw badRequest('spec: Invalid value: at least one of user or group must be specified');
  }
  return { username, groups };
}

function reviewAccess(around: Surroundings, user: UserInfo, spec: Fields): Fields {
  const { allowed, reason } = around.rbac.authorize(user, attributesOf(spec));
  return { status: { allowed, ...(reason === '' ? {} : { reason }) } };
}

function attributesOf(spec: Fields): Attributes {
  const path = spec.nonResourceAttributes;
  if (isFields(path)) return { verb: textAt(path, 'verb'), path: textAt(path, 'path') };
  const wanted = spec.resourceAttributes;
  if (!isFields(wanted)) {
    throw badRequest(
      'spec.resourceAttributes: Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
  }
  return {
    verb: textAt(wanted, 'verb'),
    group: textAt(wanted, 'group'),
    resource: textAt(wanted, 'resource'),
    subresource: textAt(wanted, 'subresource'),
    namespace: textAt(wanted, 'namespace'),
    name: textAt(wanted, 'name'),
  };
}

/** What `kubectl auth can-i --list` shows. */
function rulesOf(call: Call, namespace: string): Fields {
  const all: readonly GrantedRule[] = call.user.groups.includes('system:masters')
    ? [everything('resource'), everything('path')]
    : call.around.rbac.rulesFor(call.user);
  const here = all.filter((g) => g.namespace === '' || g.namespace === namespace).map((g) => g.rule);
  return {
    resourceRules: here.filter((r) => r.resources.length > 0).map(resourceRule),
    nonResourceRules: here
      .filter((r) => r.nonResourceURLs.length > 0)
      .map((r) => ({ verbs: r.verbs, nonResourceURLs: r.nonResourceURLs })),
    incomplete: false,
  };
}

const resourceRule = (rule: PolicyRule): Fields => ({
  verbs: rule.verbs,
  apiGroups: rule.apiGroups,
  resources: rule.resources,
  ...(rule.resourceNames.length > 0 ? { resourceNames: rule.resourceNames } : {}),
});

function everything(what: 'resource' | 'path'): GrantedRule {
  const resources = what === 'resource' ? ['*'] : [];
  const nonResourceURLs = what === 'path' ? ['*'] : [];
  const rule = { verbs: ['*'], apiGroups: resources, resources, resourceNames: [], nonResourceURLs };
  return { namespace: '', reason: '', rule };
}
