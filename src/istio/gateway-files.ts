/** What `tls` of an Istio Gateway names by file: three PEM texts that only make sense together. */
export type GatewayPart = 'serverCertificate' | 'privateKey' | 'caCertificates';

/** File names, those of a Kubernetes TLS Secret. */
export const gatewayFiles = {
  serverCertificate: 'tls.crt',
  privateKey: 'tls.key',
  caCertificates: 'ca.crt',
} as const satisfies Readonly<Record<GatewayPart, string>>;

/** Keys of the KV entry. */
export const gatewayKvKeys = {
  serverCertificate: 'server_certificate',
  privateKey: 'private_key',
  caCertificates: 'ca_certificates',
} as const satisfies Readonly<Record<GatewayPart, string>>;
