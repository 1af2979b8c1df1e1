import { bundleFiles, type IstioBundle } from '../../istio/bundle.ts';
import { judgeBundle } from '../../istio/bundle-lint.ts';
import { messageOf } from '../../lib/errors.ts';
import { Secret } from '../../lib/secret.ts';
import { parseCertificate } from '../../x509/certificate.ts';
import type { SetVerifier, Verdict } from './verifier.ts';

/** The four files of istiod's plugged-in CA, judged with what istiod checks and with what it forgets to check. */
export const istioCaVerifier: SetVerifier = {
  name: 'istio-ca',
  files: Object.values(bundleFiles),
  verify: async (files, now) => {
    const bundle = bundleOf(files);
    const refusals = judgeBundle(bundle, now).map(({ message, hint }) =>
      hint === undefined ? message : `${message} (${hint})`,
    );
    return { refusals, facts: factsOf(bundle) };
  },
};

function bundleOf(files: ReadonlyMap<string, Buffer>): IstioBundle {
  const text = (name: string): string => files.get(name)?.toString('utf8') ?? '';
  return {
    caKey: new Secret(text(bundleFiles.caKey)),
    caCert: text(bundleFiles.caCert),
    certChain: text(bundleFiles.certChain),
    rootCert: text(bundleFiles.rootCert),
  };
}

function factsOf(bundle: IstioBundle): Verdict['facts'] {
  try {
    const { serial, notAfter, fingerprint } = parseCertificate(bundle.caCert);
    return { serial, fingerprint, notAfter: new Date(notAfter).toISOString() };
  } catch (error) {
    return { certificate: messageOf(error) };
  }
}
