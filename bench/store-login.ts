import { httpGenerator, loadHttp } from './lib/load-http.ts';
import { measureLoad } from './lib/measure-load.ts';
import { loadMeasures } from './lib/measures.ts';
import type { Plan, Question, Settings, Variant } from './lib/question.ts';
import { enableLogin, type Sandbox, startSandbox } from './lib/sandbox.ts';
import { startStore } from './lib/store.ts';
import { type StoreProgram, storePrograms } from './lib/store-programs.ts';

const connections = 16;

/** How many pods a second can log in, when each login asks the cluster's API server? */
export const storeLogin: Question = { name: 'store-login', prepare };

/** And when ours checks signatures itself, with the keys that the API server publishes? OpenBao always asks. */
export const storeLoginLocal: Question = { name: 'store-login-local', prepare: prepareLocal };

async function prepareLocal(settings: Settings): Promise<Plan> {
  const { programs, notes } = storePrograms(settings);
  const isOurs = (name: string): boolean => settings.builds.some((build) => build.name === name);
  return {
    title: 'Kubernetes login by local keys, beside the login that OpenBao has',
    method: `${connections} connections; ours reads the keys of the sandbox API server once, OpenBao sends it a TokenReview for each login; load by ${httpGenerator}`,
    measures: loadMeasures,
    variants: programs.map((program) =>
      loginVariant(program, settings, isOurs(program.name) ? { local_jwks: true } : {}),
    ),
    marks: settings.builds.map(({ name }) => ({
      ours: name,
      other: 'openbao',
      measure: 'perSecond' as const,
      atLeast: 5,
    })),
    notes,
  };
}

async function prepare(settings: Settings): Promise<Plan> {
  const { programs, notes } = storePrograms(settings);
  return {
    title: 'Kubernetes login with TokenReview',
    method: `${connections} connections; every login is reviewed by a fresh sandbox API server, which shares the cores; load by ${httpGenerator}`,
    measures: loadMeasures,
    variants: [...programs.map((program) => loginVariant(program, settings)), reviewVariant(settings)],
    marks: settings.builds.flatMap(({ name }) => [
      { ours: name, other: 'openbao', measure: 'perSecond', atLeast: 1.2 },
    ]),
    notes,
  };
}

function loginVariant(
  { name, command }: StoreProgram,
  settings: Settings,
  config: Readonly<Record<string, unknown>> = {},
): Variant {
  return withSandbox(name, async (sandbox) => {
    const store = await startStore({ command, scratch: settings.scratch });
    try {
      await enableLogin(store, sandbox, config);
      const body = JSON.stringify({ role: 'istiod', jwt: sandbox.istiodToken });
      const url = `${store.address}/v1/auth/kubernetes-cluster1/login`;
      await store.call('POST', 'auth/kubernetes-cluster1/login', JSON.parse(body)); // or throws with the reason
      return await measureLoad(
        store.program.pid,
        (seconds) => post(url, {}, body, seconds, settings),
        settings,
      );
    } finally {
      await store.program.stop();
    }
  });
}

/** No login can be faster than the reviews that the API server makes alone. */
function reviewVariant(settings: Settings): Variant {
  return withSandbox('limit: TokenReviews of the API server alone', (sandbox) => {
    const body = JSON.stringify({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token: sandbox.istiodToken },
    });
    const url = `${sandbox.url}/apis/authentication.k8s.io/v1/tokenreviews`;
    const headers = { Authorization: `Bearer ${sandbox.istiodToken}` };
    return measureLoad(sandbox.pid, (seconds) => post(url, headers, body, seconds, settings), settings);
  });
}

function withSandbox(name: string, measure: (sandbox: Sandbox) => ReturnType<Variant['run']>): Variant {
  return {
    name,
    run: async () => {
      const sandbox = await startSandbox();
      try {
        return await measure(sandbox);
      } finally {
        await sandbox.stop();
      }
    },
  };
}

function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  seconds: number,
  { scratch }: Settings,
) {
  const all = { 'Content-Type': 'application/json', ...headers };
  return loadHttp({ url, method: 'POST', headers: all, body, connections, seconds }, scratch);
}
