/** Identifier octets of the universal types that X.509 uses (X.690, 8.1.2), with the constructed bit where it belongs. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Context-specific tag `[n]`, primitive (implicit over a primitive type). */
export const contextTag = (n: number): number => 0x80 | n;
/** Context-specific tag `[n]`, constructed (explicit, or implicit over a constructed type). */
export const explicitTag = (n: number): number => 0xa0 | n;
