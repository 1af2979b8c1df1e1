import { bundleFiles } from '../../istio/bundle.ts';
import { messageOf } from '../../lib/errors.ts';
import { Secret } from '../../lib/secret.ts';
import type { SetVerifier, Verdict } from './verifier.ts';

/**
 * The four files of istiod's plugged-in CA, judged with what istiod checks and with what it forgets to check. X.509 is
 * loaded with the first verdict: an agent's start should not wait for it.
 */
export const istioCaVerifier: SetVerifier = {
  name: 'istio-ca',
  files: Object.values(bundleFiles),
  prepare: () => {
    import('../../istio/bundle-lint.ts').catch(() => {}); // verify will say so
  },
  verify: async (files, now) => {
    const { judgeBundle } = await import('../../istio/bundle-lint.ts');
    const text = (name: string): string => files.get(name)?.toString('utf8') ?? '';
    const bundle = {
      caKey: new Secret(text(bundleFiles.caKey)),
      caCert: text(bundleFiles.caCert),
      certChain: text(bundleFiles.certChain),
      rootCert: text(bundleFiles.rootCert),
    };
    const refusals = judgeBundle(bundle, now).map(({ message, hint }) =>
      hint === undefined ? message : `${message} (${hint})`,
    );
    return { refusals, facts: await factsOf(bundle.caCert) };
  },
};

async function factsOf(caCert: string): Promise<Verdict['facts']> {
  const { parseCertificate } = await import('../../x509/certificate.ts');
  try {
    const { serial, notAfter, fingerprint } = parseCertificate(caCert);
    return { serial, fingerprint, notAfter: new Date(notAfter).toISOString() };
  } catch (error) {
    return { certificate: messageOf(error) };
  }
}
