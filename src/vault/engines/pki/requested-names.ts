import { isIP } from 'node:net';
import { decodeOtherNames, type OtherName, type SubjectAltNames } from '../../../x509/alt-names.ts';
import type { Csr } from '../../../x509/csr.ts';
import type { Name, NameAttribute } from '../../../x509/name.ts';
import { extensionOids } from '../../../x509/oids.ts';
import { booleanOf, type Fields, listOf, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import { cidrContains, parseCidr } from './cidr.ts';
import {
  allowsCommonName,
  allowsSerial,
  allowsUri,
  allowsUserId,
  asciiName,
  forbiddenName,
  forbiddenOtherName,
  isHostname,
  parseOtherNames,
} from './name-rules.ts';
import type { Role } from './role.ts';

export interface NameRequest {
  readonly fields: Fields;
  readonly role: Role;
  readonly csr: Csr | undefined;
  readonly displayName: string;
}

export interface RequestedNames {
  readonly subject: Name;
  readonly sans: SubjectAltNames;
  readonly others: readonly OtherName[];
}

const userId = '0.9.2342.19200300.100.1.1';

/** What a certificate is to be named, from request, CSR and role. @throws Refusal 400 for what the role forbids */
export function requestedNames(request: NameRequest): RequestedNames {
  const { role, displayName } = request;
  const commonName = commonNameOf(request);
  const { dns, email } = hostNames(request, commonName);
  if (commonName !== '' && !allowsCommonName(role, commonName, displayName)) {
    throw refuse(`common name ${commonName} not allowed by this role`);
  }
  const serial = textOf(request.fields, 'serial_number') || attribute(request.csr, 'SERIALNUMBER');
  if (serial !== '' && !allowsSerial(role, serial)) {
    throw refuse(`serial_number ${serial} not allowed by this role`);
  }
  const badDns = forbiddenName(role, dns, displayName);
  if (badDns !== undefined) throw refuse(`subject alternate name ${badDns} not allowed by this role`);
  const badEmail = forbiddenName(role, email, displayName);
  if (badEmail !== undefined) throw refuse(`email address ${badEmail} not allowed by this role`);
  const others = otherNames(request);
  const ip = addresses(request);
  const uri = uris(request);
  return { subject: subjectOf(request, commonName, serial), sans: { dns, email, ip, uri }, others };
}

function commonNameOf({ fields, role, csr }: NameRequest): string {
  const fromCsr = role.use_csr_common_name ? attribute(csr, 'CN') : '';
  const name = fromCsr === '' ? textOf(fields, 'common_name') : fromCsr;
  if (name === '' && role.require_cn) {
    throw refuse(
      'the common_name field is required, or must be provided in a CSR with "use_csr_common_name" set to true, unless "require_cn" is set to false',
    );
  }
  return name;
}

/** Go takes the last one. */
const attribute = (csr: Csr | undefined, type: string): string =>
  csr?.subject.filter((one) => one.type === type).at(-1)?.value ?? '';

/** The CSR whose names count, if the role lets a CSR name anything. */
const namingCsr = ({ csr, role }: NameRequest): Csr | undefined => (role.use_csr_sans ? csr : undefined);

function hostNames(
  request: NameRequest,
  commonName: string,
): { readonly dns: readonly string[]; readonly email: readonly string[] } {
  const { fields } = request;
  const naming = namingCsr(request);
  const dns = new Set(naming?.sans.dns);
  const email = new Set(naming?.sans.email);
  const withCommonName = commonName !== '' && !booleanOf(fields, 'exclude_cn_from_sans');
  const asked = naming === undefined ? listOf(fields, 'alt_names') : [];
  for (const name of [...(withCommonName ? [commonName] : []), ...asked]) {
    if (name.includes('@')) {
      email.add(name);
      continue;
    }
    const ascii = asciiName(name);
    if (ascii === undefined) throw refuse(`idna: invalid label ${JSON.stringify(name.slice(0, 300))}`);
    if (isHostname(ascii)) dns.add(ascii);
  }
  return { dns: [...dns], email: [...email] };
}

function otherNames(request: NameRequest): readonly OtherName[] {
  const { fields, role } = request;
  const asked = listOf(fields, 'other_sans');
  const san = namingCsr(request)?.extensions.find(({ oid }) => oid === extensionOids.subjectAltName);
  const fromCsr = san === undefined ? [] : decodeOtherNames(san.value);
  if (asked.length === 0 && fromCsr.length === 0) return [];
  const parsed = parseOtherNames(asked, (text) => refuse(`could not parse requested other SAN: ${text}`));
  const all = [...parsed, ...fromCsr];
  const why = forbiddenOtherName(role, all);
  if (why !== undefined) throw refuse(why);
  return all;
}

function addresses(request: NameRequest): readonly string[] {
  const { fields, role } = request;
  const naming = namingCsr(request);
  const found = naming?.sans.ip ?? listOf(fields, 'ip_sans');
  if (found.length === 0) return found;
  const wrong = found.find((ip) => isIP(ip) === 0 || ip.includes('%'));
  if (wrong !== undefined) throw refuse(`the value ${JSON.stringify(wrong)} is not a valid IP address`);
  if (!role.allow_ip_sans) {
    const source = naming === undefined ? 'the API' : 'CSR';
    throw refuse(`IP Subject Alternative Names are not allowed in this role, but was provided via ${source}`);
  }
  if (role.allowed_ip_sans_cidr.length === 0) return found;
  const networks = role.allowed_ip_sans_cidr.flatMap((cidr) => parseCidr(cidr) ?? []);
  const outside = found.find((ip) => !networks.some((network) => cidrContains(network, ip)));
  if (outside !== undefined)
    throw refuse(`the IP address ${JSON.stringify(outside)} is not allowed in this role`);
  return found;
}

function uris(request: NameRequest): readonly string[] {
  const { fields, role } = request;
  const naming = namingCsr(request);
  const found = naming?.sans.uri ?? listOf(fields, 'uri_sans');
  if (found.length === 0) return found;
  const source = naming === undefined ? 'the API' : 'CSR';
  if (role.allowed_uri_sans.length === 0) {
    throw refuse(
      `URI Subject Alternative Names are not allowed in this role, but were provided via ${source}`,
    );
  }
  if (!found.every((uri) => allowsUri(role, uri))) {
    throw refuse(
      `URI Subject Alternative Names were provided via ${source} which are not valid for this role`,
    );
  }
  const wrong = found.find((uri) => !/^[\x21-\x7e]+$/.test(uri));
  if (wrong !== undefined) {
    throw refuse(`the provided URI Subject Alternative Name ${JSON.stringify(wrong)} is not a valid URI`);
  }
  return found;
}

/** The order in which Go writes a subject. */
const roleAttributes = [
  ['country', 'C'],
  ['organization', 'O'],
  ['ou', 'OU'],
  ['locality', 'L'],
  ['province', 'ST'],
  ['street_address', 'STREET'],
  ['postal_code', 'POSTALCODE'],
] as const;

function subjectOf(request: NameRequest, commonName: string, serial: string): Name {
  const { role } = request;
  const one = (type: string, value: string): NameAttribute[] => (value === '' ? [] : [{ type, value }]);
  return [
    ...roleAttributes.flatMap(([field, type]) => [...new Set(role[field])].map((value) => ({ type, value }))),
    ...one('CN', commonName),
    ...one('SERIALNUMBER', serial),
    ...userIds(request),
  ];
}

function userIds({ fields, csr, role }: NameRequest): NameAttribute[] {
  const sent = listOf(fields, 'user_ids');
  const ids =
    sent.length > 0 ? sent : (csr?.subject.filter(({ type }) => type === userId).map((a) => a.value) ?? []);
  const wrong = ids.find((id) => !allowsUserId(role, id));
  if (wrong !== undefined) throw refuse(`user_id ${wrong} is not allowed by this role`);
  return ids.map((value) => ({ type: userId, value }));
}
