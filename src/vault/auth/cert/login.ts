import { addressAllowed } from '../../core/authenticate.ts';
import type { Context } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { issueLogin } from '../../core/issue-login.ts';
import { denied } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { extensionMetadata } from './extension-rules.ts';
import { matchingRole, shownCertificates, subjectValues } from './match.ts';
import { readConfig } from './store.ts';

/** The certificate of the TLS connection for a token. @throws Refusal */
export function login(context: Context): Result {
  const { fields, store, request, clock } = context;
  const chain = shownCertificates(request);
  const [leaf] = chain;
  const role = matchingRole(store, chain, textOf(fields, 'name'), clock.now());
  if (!addressAllowed(request.remoteAddress, role.tokens.boundCidrs)) {
    throw denied('login-address', 'the role is bound to other addresses');
  }
  const commonName = subjectValues(leaf, 'CN')[0] ?? '';
  const meta = {
    authority_key_id: colons(leaf.authorityKeyId),
    cert_name: role.name,
    common_name: commonName,
    serial_number: BigInt(`0x${leaf.serial}`).toString(),
    subject_key_id: colons(leaf.subjectKeyId),
    ...extensionMetadata(role.metadataExtensions ?? [], leaf),
  };
  // Workload certificates of a mesh have no common name: their SPIFFE id is who they are.
  const name = commonName || leaf.sans.uri[0] || leaf.sans.dns[0] || leaf.fingerprint;
  return issueLogin(context, {
    tokens: role.tokens,
    displayName: role.displayName,
    meta,
    alias: { name, ...(readConfig(store).enableIdentityAliasMetadata ? { metadata: meta } : {}) },
    role: role.name,
    login: { fingerprint: leaf.fingerprint },
  });
}

const colons = (hex: string | undefined): string => (hex ?? '').match(/../g)?.join(':') ?? '';
