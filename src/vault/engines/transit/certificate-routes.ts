import { messageOf } from '../../../lib/errors.ts';
import { type Certificate, parseCertificate } from '../../../x509/certificate.ts';
import { createCsr, parseCsr } from '../../../x509/csr.ts';
import { extension } from '../../../x509/extensions.ts';
import { samePublicKey } from '../../../x509/keys.ts';
import { pemBlocks } from '../../../x509/pem.ts';
import type { Context, Route } from '../../core/backend.ts';
import { numberOf, type Schema, textOf } from '../../core/fields.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { requireType } from './key-types.ts';
import { type KeyVersion, privateKeyOf, publicKeyOf, putKey, readKey, type TransitKey } from './store.ts';

const fields: Schema = { version: 'int', csr: 'string', certificate_chain: 'string' };

/** A certificate for a key that stays here: the request for it, and the chain that came back. */
export const certificateRoutes = (): Route[] => [
  { path: 'keys/:name/csr', fields, operations: { update: makeRequest } },
  { path: 'keys/:name/set-certificate', fields, operations: { update: setChain } },
];

/** @throws Refusal 400 for a key that is not there or signs nothing by itself */
function signingKey({ store, fields: sent }: Context): TransitKey {
  const name = textOf(sent, 'name');
  const key = readKey(store, name);
  if (key === undefined) throw refuse(`key with provided name '${name}' not found`);
  if (!requireType(key.type).signs) throw refuse(`key type '${key.type}' does not support signing`);
  if (key.derived === true) throw refuse('operation not supported for keys with derivation enabled');
  return key;
}

function versionOf(key: TransitKey, number: number, what: string): KeyVersion {
  const version = key.versions[number];
  if (version === undefined) throw refuse(`${what}: no such key version`);
  return version;
}

/** The names and extensions of `csr` with this key; without it a request for nothing. */
async function makeRequest(context: Context): Promise<Result> {
  const key = signingKey(context);
  const template = textOf(context.fields, 'csr');
  const { subject = [], extensions = [] } = template === '' ? {} : parsedTemplate(template);
  const failed = 'could not create the csr';
  const version = versionOf(key, numberOf(context.fields, 'version', key.latest), failed);
  const privateKey = privateKeyOf(version);
  if (privateKey === undefined) throw refuse(`${failed}: private key not imported for key version selected`);
  const type = requireType(key.type).pair;
  if (type === undefined) throw refuse(`key type '${key.type}' does not support signing`);
  const csr = await createCsr({
    key: { type, privateKey, publicKey: publicKeyOf(version) },
    subject,
    extensions: extensions.map(({ oid, critical, value }) => extension(oid, critical, value)),
  });
  return { data: { name: key.name, type: key.type, csr } };
}

function parsedTemplate(text: string): Pick<ReturnType<typeof parseCsr>, 'subject' | 'extensions'> {
  if (!text.includes('-----BEGIN ')) throw refuse('could not decode PEM CSR');
  try {
    return parseCsr(text);
  } catch (error) {
    throw refuse(messageOf(error));
  }
}

function setChain(context: Context): Result {
  const key = signingKey(context);
  const pem = textOf(context.fields, 'certificate_chain');
  const chain = parsedChain(pem);
  const number = numberOf(context.fields, 'version', key.latest);
  checkChain(chain);
  const failed = 'failed to persist certificate chain';
  const version = versionOf(key, number, failed);
  const [leaf] = chain;
  if (leaf === undefined || leaf.publicKey.asymmetricKeyType !== publicKeyOf(version).asymmetricKeyType) {
    const text = 'could not validate key match between leaf certificate key and key entry in transit';
    const kind = goAlgorithms[leaf?.publicKey.asymmetricKeyType ?? ''] ?? 'unknown';
    const reason = `provided leaf certificate public key algorithm '${kind}' does not match the transit key type`;
    throw refuse(`${failed}: ${text}: ${reason} '${key.type}'`);
  }
  if (!samePublicKey(leaf.publicKey, publicKeyOf(version))) {
    const text = `${failed}: leaf certificate public key does not match the selected key version`;
    throw refuseWrapped(text, 500, 'other-key');
  }
  const kept = { ...version, chain: chain.map(({ der }) => der.toString('base64')) };
  putKey(context.store, { ...key, versions: { ...key.versions, [number]: kept } });
  return { data: { name: key.name, type: key.type, certificate_chain: pem } };
}

const goAlgorithms: Readonly<Record<string, string>> = { ec: 'ECDSA', rsa: 'RSA', ed25519: 'Ed25519' };

function parsedChain(pem: string): Certificate[] {
  const blocks = decodedBlocks(pem).filter(({ label }) => /^(X509 )?CERTIFICATE$/.test(label));
  if (blocks.length === 0) {
    throw refuse('provided certificate chain did not contain any valid PEM encoded certificate');
  }
  try {
    return blocks.map(({ der }) => parseCertificate(der));
  } catch (error) {
    throw refuse(`could not parse a certificate in the certificate chain: ${messageOf(error)}`);
  }
}

function decodedBlocks(pem: string): ReturnType<typeof pemBlocks> {
  let blocks: ReturnType<typeof pemBlocks> = [];
  try {
    blocks = pemBlocks(pem);
  } catch {
    // told below
  }
  if (blocks.length > 0 || pem.trim() === '') return blocks;
  throw refuse('could not decode a PEM block in the certificate chain');
}

/** One leaf, then CAs. @throws Refusal 400 */
function checkChain([leaf, ...others]: readonly Certificate[]): void {
  const failed = 'failed to persist certificate chain';
  if (leaf?.isCa === true) {
    throw refuse(`${failed}: certificate in the first element is not a valid leaf certificate`);
  }
  if (others.length > 0 && others.at(-1)?.isCa !== true) {
    throw refuse(`${failed}: certificate in the last element is not a valid CA certificate`);
  }
  if (others.some(({ isCa }) => !isCa)) {
    throw refuse(`${failed}: could not validate if there is only one leaf certificate in the provided chain`);
  }
}
