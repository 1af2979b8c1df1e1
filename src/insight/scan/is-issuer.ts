import { type Certificate, isSignedBy } from '../../x509/certificate.ts';

/** Whether another certificate, not itself, was signed with the issuer's key and names it. */
export const isIssuer = (issuer: Certificate, child: Certificate): boolean =>
  issuer !== child && issuer.subjectDer.equals(child.issuerDer) && isSignedBy(child, issuer);
