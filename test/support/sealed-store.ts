import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testPki } from '../../src/agent/test-tls.ts';
import { startMeshroot } from './meshroot.ts';

/** What an operator has before the first call: a server with a configuration file, not yet initialized. */
export interface SealedStore {
  readonly address: string;
  /** The CA of the listener's certificate; of nobody with plain HTTP. */
  readonly caFile: string;
  /** Where the procedure lets the store write its audit log. */
  readonly auditFile: string;
  /** The audit log's records so far. */
  audited(): AuditLine[];
  close(): Promise<void>;
}

export interface AuditLine {
  readonly type: string;
  readonly error?: string;
  readonly request: { readonly path: string; readonly operation: string };
}

/** The real program with a listener of plain HTTP or of TLS, its certificate from a CA of our own. */
export async function startSealedStore(scheme: 'http' | 'https'): Promise<SealedStore> {
  const folder = mkdtempSync(join(tmpdir(), 'sealed-store-'));
  const [caFile, auditFile] = [join(folder, 'ca.pem'), join(folder, 'audit.log')];
  const listener = { address: '127.0.0.1:0', ...(await tlsFields(scheme, folder, caFile)) };
  const config = {
    listener: { tcp: listener },
    storage: { lmdb: { path: join(folder, 'data') } },
    audit_folders: [folder],
  };
  writeFileSync(join(folder, 'vault.json'), JSON.stringify(config));
  const server = startMeshroot(['vault', 'server', `-config=${join(folder, 'vault.json')}`]);
  const line = await server.until(/listening: address=\S+/);
  return {
    address: line.slice(line.indexOf('=') + 1),
    caFile,
    auditFile,
    audited: () =>
      existsSync(auditFile)
        ? readFileSync(auditFile, 'utf8')
            .trim()
            .split('\n')
            .map((text) => JSON.parse(text))
        : [],
    close: async () => {
      server.child.kill('SIGTERM');
      await server.ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function tlsFields(scheme: 'http' | 'https', folder: string, caFile: string): Promise<object> {
  const pki = await testPki();
  writeFileSync(caFile, pki.ca);
  if (scheme === 'http') return { tls_disable: true };
  const { cert, key } = await pki.save(folder, 'server', await pki.server());
  return { tls_cert_file: cert, tls_key_file: key };
}

/** What the log must say after the procedure: istiod's own bundle was read, the other one refused. */
export function bundleReads(lines: readonly AuditLine[]): { path: string; error: string | undefined }[] {
  return lines
    .filter(({ type, request }) => type === 'response' && request.path.endsWith('/istiod-service/certs'))
    .filter(({ request }) => request.operation === 'read')
    .map(({ request, error }) => ({ path: request.path, error: error?.trim().split('\n').at(-1)?.trim() }));
}
