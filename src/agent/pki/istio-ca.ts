import { join } from 'node:path';
import type { IstioBundle } from '../../istio/bundle.ts';
import { readBundleFiles } from '../../istio/bundle-files.ts';
import { judgeBundle } from '../../istio/bundle-lint.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { parseCertificate } from '../../x509/certificate.ts';
import { createCsr } from '../../x509/csr.ts';
import { generateKeyPair, type KeyType, keyTypes, privateKeyPem } from '../../x509/keys.ts';
import { GoStruct, type GoValue } from '../template/values.ts';
import type { FetchedPems } from './fetched-pems.ts';

export interface IstioCaOptions {
  /** Folder of the set: the intermediate of the last run is found there. */
  readonly folder: string;
  /** `name` (L= of the subject), `key_type`, and what the store's `sign-intermediate` takes, `ttl` above all. */
  readonly settings: Readonly<Record<string, string>>;
  /** Has a request signed; `data` of the answer. */
  readonly sign: (body: Readonly<Record<string, unknown>>) => Promise<Readonly<Record<string, unknown>>>;
  readonly now: number;
  /** 0 to 1. */
  readonly random: number;
}

/** Part of its life after which an intermediate is replaced: what it signed has to end before it does. */
const renewAfter = 2 / 3;

/**
 * An intermediate CA for istiod whose key is made here and never leaves: certificate, chain, key and root are of one
 * issuing, which all templates of a folder share. One from an earlier run is used until two thirds of its life are over
 * (less a random 3 %, so that clusters do not ask all at once).
 * @throws MeshrootError `istio-ca` when what the store signed is not fit for istiod
 */
export async function fetchIstioCa(options: IstioCaOptions): Promise<FetchedPems> {
  const known = await readBundleFiles(join(options.folder, '..data')).catch(() => undefined);
  if (known !== undefined && judgeBundle(known.bundle, options.now).length === 0) {
    const renewAt = renewalTime(known.bundle, options.random);
    if (renewAt > options.now) return fetched(known.bundle, renewAt);
  }
  const bundle = await issue(options);
  return fetched(bundle, renewalTime(bundle, options.random));
}

function renewalTime({ caCert }: IstioBundle, random: number): number {
  const { notBefore, notAfter } = parseCertificate(caCert);
  return notBefore + (notAfter - notBefore) * (renewAfter - 0.03 * random);
}

async function issue({ settings, sign, now }: IstioCaOptions): Promise<IstioBundle> {
  const { name = 'mesh', key_type: keyType = 'ec-p256', ...given } = settings;
  const key = await generateKeyPair(keyTypeOf(keyType));
  const csr = await createCsr({
    key,
    subject: [
      { type: 'O', value: 'Istio' },
      { type: 'CN', value: 'Intermediate CA' },
      { type: 'L', value: name },
    ],
    sans: { dns: ['istiod.istio-system.svc'] },
  });
  const data = await sign({ use_csr_values: true, max_path_length: 0, format: 'pem', ...given, csr });
  const bundle = bundleOf(data, privateKeyPem(key.privateKey));
  const [first] = judgeBundle(bundle, now);
  if (first === undefined) return bundle;
  throw refused(`the new intermediate is not usable: ${first.message}`, first.hint);
}

function keyTypeOf(word: string): KeyType {
  const known = keyTypes.find((type) => type === word);
  if (known !== undefined) return known;
  throw refused(`unknown key_type "${word}"`, `one of ${keyTypes.join(', ')}`);
}

/** Certificate, its issuers as far as the store names them, and the one of them that signed itself as root. */
function bundleOf(data: Readonly<Record<string, unknown>>, caKey: IstioBundle['caKey']): IstioBundle {
  const listed = Array.isArray(data.ca_chain) ? data.ca_chain : [];
  const texts = [data.certificate, data.issuing_ca, ...listed].filter((v) => typeof v === 'string');
  const [ca, ...issuers] = texts.map((pem) => parseCertificate(pem).pem);
  const chain = [...new Set([ca, ...issuers])];
  const root = chain.findLast((pem) => pem !== undefined && isRoot(pem));
  if (ca === undefined || root === undefined)
    throw refused(
      'the answer holds no chain up to a root',
      'the path is that of an issuer, MOUNT/root/sign-intermediate, whose chain ends in its root',
    );
  return {
    caKey,
    caCert: ca,
    certChain: [...chain.filter((pem) => pem !== root), root].join(''),
    rootCert: root,
  };
}

function isRoot(pem: string): boolean {
  const { subjectDer, issuerDer } = parseCertificate(pem);
  return subjectDer.equals(issuerDer);
}

function refused(message: string, hint: string | undefined): MeshrootError {
  return new MeshrootError('istio-ca', message, { exit: 1, ...(hint === undefined ? {} : { hint }) });
}

function fetched({ caKey, caCert, certChain, rootCert }: IstioBundle, renewAt: number): FetchedPems {
  const fields = new Map<string, GoValue>([
    ['Cert', caCert],
    ['Key', caKey.reveal()],
    ['Chain', certChain],
    ['Root', rootCert],
  ]);
  const value = new GoStruct('meshroot.IstioCA', fields);
  return { kind: 'pems', value, renewAt, text: caKey.reveal() + certChain + rootCert };
}
