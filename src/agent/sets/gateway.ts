import { gatewayFiles } from '../../istio/gateway-files.ts';
import { messageOf } from '../../lib/errors.ts';
import type { SetVerifier, Verdict } from './verifier.ts';

/**
 * Certificate, key and CA of an Istio Gateway (or of any TLS server that reads the same files): a certificate is never
 * there without its key. Who may be trusted by the certificate's own issuer is not asked: `caCertificates` are for the
 * clients of the gateway, which often come from elsewhere.
 */
export const gatewayVerifier: SetVerifier = {
  name: 'gateway',
  files: Object.values(gatewayFiles),
  prepare: () => {
    import('../../istio/gateway-lint.ts').catch(() => {}); // verify will say so
  },
  verify: async (files, now): Promise<Verdict> => {
    const { judgeGateway } = await import('../../istio/gateway-lint.ts');
    const { Secret } = await import('../../lib/secret.ts');
    const text = (name: string): string => files.get(name)?.toString('utf8') ?? '';
    const serverCertificate = text(gatewayFiles.serverCertificate);
    const findings = judgeGateway(
      {
        serverCertificate,
        privateKey: new Secret(text(gatewayFiles.privateKey)),
        caCertificates: text(gatewayFiles.caCertificates),
      },
      now,
    );
    const refusals = findings.map(({ message, hint }) =>
      hint === undefined ? message : `${message} (${hint})`,
    );
    return { refusals, facts: await factsOf(serverCertificate) };
  },
};

async function factsOf(serverCertificate: string): Promise<Verdict['facts']> {
  const { parseCertificates } = await import('../../x509/certificate.ts');
  try {
    const [leaf] = parseCertificates(serverCertificate);
    if (leaf === undefined) return { certificate: 'none' };
    return {
      serial: leaf.serial,
      fingerprint: leaf.fingerprint,
      notAfter: new Date(leaf.notAfter).toISOString(),
    };
  } catch (error) {
    return { certificate: messageOf(error) };
  }
}
