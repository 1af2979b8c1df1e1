import { fileURLToPath } from 'node:url';
import type { LoadResult } from './load.ts';
import { runScript } from './program.ts';

export interface CsrLoad {
  readonly port: number;
  /** PEM: whom to believe as the CA. */
  readonly rootPem: string;
  /** Used in turn, so that nobody is fast by remembering one caller. */
  readonly tokens: readonly string[];
  readonly csrs: readonly string[];
  readonly callers: number;
  readonly seconds: number;
  /** Calls a second, whatever the answers do; without it each caller asks again as soon as it has its answer. */
  readonly rate?: number;
  /** Whether answers must be certificates (not for the echo). */
  readonly verify: boolean;
}

const script = fileURLToPath(new URL('./csr-load-process.ts', import.meta.url));

export const csrGenerator =
  'node:http2 with requests encoded once, four connections, one process of its own (a gRPC library would need more CPU than the servers)';

export const loadCsr = (load: CsrLoad): Promise<LoadResult> => runScript<LoadResult>(script, load);
