import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { repository } from './program.ts';
import type { BenchStore } from './store.ts';

/** A sandbox API server in a process of its own, and identities that it knows. */
export interface Sandbox {
  readonly pid: number;
  readonly url: string;
  readonly caPem: string;
  readonly kubeconfig: string;
  /** Keys of another issuer over plain HTTP, and its tokens of the same service accounts. */
  readonly jwksUrl: string;
  readonly jwksIssuer: string;
  readonly jwksTokens: readonly string[];
  /** Token of istio-system/istiod, which may review tokens. */
  readonly istiodToken: string;
  /** Tokens for the CA (audience istio-ca) of as many service accounts in `demo`. */
  readonly workloadTokens: readonly string[];
  stop(): Promise<void>;
}

const script = fileURLToPath(new URL('./sandbox-process.ts', import.meta.url));

export async function startSandbox(): Promise<Sandbox> {
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    cwd: repository,
    stdio: ['pipe', 'pipe', 'inherit'], // it ends with our end of its stdin
  });
  const lines = createInterface(child.stdout);
  const first = await Promise.race([once(lines, 'line'), once(child, 'close').then(() => [])]);
  const facts = JSON.parse(String(first[0])) as Omit<Sandbox, 'pid' | 'stop'>;
  const ended = once(child, 'close');
  return {
    ...facts,
    pid: child.pid ?? 0,
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** Mount, role and configuration of the seed: the caller's own token reviews itself. */
export async function enableLogin(
  store: BenchStore,
  { url, caPem }: Sandbox,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await store.call('POST', 'sys/auth/kubernetes-cluster1', { type: 'kubernetes' });
  await store.call('POST', 'auth/kubernetes-cluster1/config', {
    kubernetes_host: url,
    kubernetes_ca_cert: caPem,
    disable_local_ca_jwt: true,
    ...more,
  });
  await store.call('POST', 'auth/kubernetes-cluster1/role/istiod', {
    bound_service_account_names: 'istiod',
    bound_service_account_namespaces: 'istio-system',
    token_policies: 'istiod-certs-cluster1',
    token_ttl: '1h',
  });
}
