import { getCiphers, type SecureContextOptions, type SecureVersion } from 'node:tls';
import { MeshrootError } from '../lib/errors.ts';

const versions: Readonly<Record<string, SecureVersion>> = {
  tls10: 'TLSv1',
  tls11: 'TLSv1.1',
  tls12: 'TLSv1.2',
  tls13: 'TLSv1.3',
};

/**
 * Go's names of TLS versions and cipher suites as Node's TLS takes them.
 * @param suites comma-separated, e.g. `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`; empty for the defaults
 * @throws MeshrootError `bad-setting`
 */
export function tlsSettings(minVersion: string, suites: string): SecureContextOptions {
  const version = versions[minVersion];
  if (version === undefined) {
    throw new MeshrootError('bad-setting', `"${minVersion}" is not a TLS version`, {
      hint: `write one of ${Object.keys(versions).join(', ')}`,
    });
  }
  if (suites === '') return { minVersion: version };
  const names = suites.split(',').map((suite) => cipherName(suite.trim()));
  // TLS 1.3 suites cannot be chosen in Go either: they stay
  const tls13 = getCiphers().filter((cipher) => cipher.startsWith('tls_'));
  return { minVersion: version, ciphers: [...tls13.map((c) => c.toUpperCase()), ...names].join(':') };
}

function cipherName(suite: string): string {
  const name = suite
    .replace(/^TLS_/, '')
    .replace('_WITH_', '_')
    .replace('CHACHA20_POLY1305_SHA256', 'CHACHA20_POLY1305')
    .replace(/AES_(128|256)_CBC_/, 'AES$1_')
    .replace(/AES_(128|256)_/, 'AES$1_')
    .replace(/^RSA_AES/, 'AES')
    .replaceAll('_', '-');
  if (suite.startsWith('TLS_') && getCiphers().includes(name.toLowerCase())) return name;
  throw new MeshrootError('bad-setting', `"${suite}" is not a cipher suite that can be used here`, {
    hint: 'write for example TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  });
}
