import { execFileSync, spawnSync } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../lib/log.ts';
import { privateKeyPem } from '../x509/keys.ts';
import { CrlKeeper, readCrlFile } from './ca-crl.ts';
import { trustSet } from './ca-signer.ts';
import { tempFolder, testRoot } from './test-mesh.ts';

describe.skipIf(spawnSync('openssl', ['version']).status !== 0)(
  'revocation lists (skipped without openssl)',
  () => {
    /** A self-signed CA that may sign lists, and a list of its own. */
    async function authority(folder: string, name: string) {
      const run = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'ignore' });
      const usage = [
        '-addext',
        'keyUsage=critical,keyCertSign,cRLSign',
        '-addext',
        'basicConstraints=critical,CA:TRUE',
      ];
      const key = [
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        `${name}.key`,
      ];
      // openssl req -x509 writes basicConstraints by itself, so only the usage is added
      run(
        'req',
        '-x509',
        ...key,
        '-out',
        `${name}.pem`,
        '-subj',
        `/O=Istio/CN=${name}`,
        '-days',
        '10',
        ...usage.slice(0, 2),
      );
      await writeFile(join(folder, `${name}.db`), '');
      await writeFile(
        join(folder, `${name}.cnf`),
        `[ca]\ndefault_ca=d\n[d]\ndatabase=${name}.db\ndefault_md=sha256\ndefault_crl_days=5\n`,
      );
      run(
        'ca',
        '-gencrl',
        '-config',
        `${name}.cnf`,
        '-keyfile',
        `${name}.key`,
        '-cert',
        `${name}.pem`,
        '-out',
        `${name}.crl`,
      );
      return {
        pem: await readFile(join(folder, `${name}.pem`), 'utf8'),
        crl: await readFile(join(folder, `${name}.crl`), 'utf8'),
      };
    }

    test('every certificate of the chain must have signed one; then the text is taken as it is', async () => {
      const folder = await tempFolder();
      const [a, b] = [await authority(folder.path, 'a'), await authority(folder.path, 'b')];
      const trust = trustSet({ caCert: a.pem, certChain: a.pem, rootCert: a.pem + b.pem });
      expect(await readCrlFile(folder.path, trust)).toBeUndefined();
      await writeFile(join(folder.path, 'ca-crl.pem'), a.crl);
      await expect(readCrlFile(folder.path, trust)).rejects.toMatchObject({
        code: 'crl-missing',
        message: expect.stringMatching(/^missing CRL signed by certificates: \[.*CN=b.*\]$/),
      });
      await writeFile(join(folder.path, 'ca-crl.pem'), a.crl + b.crl);
      const keeper = await CrlKeeper.open(folder.path, () => trust, silentLogger);
      expect(keeper.text).toBe(a.crl + b.crl);
      await writeFile(join(folder.path, 'ca-crl.pem'), b.crl);
      expect(await keeper.reload()).toBe(false);
      expect(keeper.text).toBe(a.crl + b.crl);
      await rm(join(folder.path, 'ca-crl.pem'));
      expect(await keeper.reload()).toBe(true);
      expect(keeper.text).toBeUndefined();
      await folder.remove();
    });

    test('a file of something else is refused', async () => {
      const folder = await tempFolder();
      const root = await testRoot();
      const rubbish = privateKeyPem(root.key.privateKey).reveal().replaceAll('PRIVATE KEY', 'X509 CRL');
      await writeFile(join(folder.path, 'ca-crl.pem'), rubbish);
      const trust = trustSet({ caCert: root.certificate.pem, certChain: '', rootCert: root.certificate.pem });
      await expect(readCrlFile(folder.path, trust)).rejects.toMatchObject({
        code: 'bad-crl',
        message: expect.stringMatching(/^not a CRL: /),
      });
      await folder.remove();
    });
  },
);
