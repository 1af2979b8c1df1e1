import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onPath } from '../test/support/on-path.ts';
import { makeBundle } from './lib/bundle.ts';
import { templateOf } from './lib/istiod-review.ts';
import type { Sample } from './lib/measures.ts';
import { missing } from './lib/peers.ts';
import type { Plan, Question, Settings, Variant } from './lib/question.ts';
import { onceMeter, runOnce } from './lib/run-once.ts';
import { enableLogin, startSandbox } from './lib/sandbox.ts';
import { type BenchStore, bundlePath, startStore } from './lib/store.ts';
import { storePrograms } from './lib/store-programs.ts';

const files = ['ca-key', 'ca-cert', 'cert-chain', 'root-cert'];
/** Starts per sample: one takes a tenth of a second. */
const repeats = 10;

/** How long does a pod wait for its init container: exec, log in, render four files, exit? */
export const agentInit: Question = { name: 'agent-init', prepare };

async function prepare(settings: Settings): Promise<Plan> {
  const { programs } = storePrograms(settings);
  const shared = programs.at(-1) ?? { name: 'none', command: [] };
  const sandbox = await startSandbox();
  const store = await startStore({ command: shared.command, scratch: settings.scratch });
  await store.call('POST', 'sys/mounts/kubernetes-cluster1-secrets', {
    type: 'kv',
    options: { version: '1' },
  });
  await store.call('POST', bundlePath, (await makeBundle()).entry);
  await enableLogin(store, sandbox);
  const tokenFile = join(settings.scratch, 'sa-token');
  await writeFile(tokenFile, sandbox.istiodToken, { mode: 0o600 });
  const agents = settings.builds.map(({ name, command }) => ({ name, command: [...command, 'agent'] }));
  const bao = onPath('bao');
  if (bao !== undefined) agents.push({ name: 'bao agent', command: [bao, 'agent'] });
  return {
    title: 'Init agent: exec, login, four files, exit',
    method: `${repeats} starts after one another per sample, each to its exit; all against the same store (${shared.name}) and sandbox API server; ${onceMeter}`,
    measures: ['seconds', 'cpuSeconds', 'rss'],
    variants: [
      ...agents.map((agent) => agentVariant(agent, store, tokenFile, settings)),
      scriptVariant(store, tokenFile, settings),
      {
        name: 'limit: bare node -e 1',
        run: () => repeated(() => runOnce([process.execPath, '-e', '1'], settings)),
      },
    ],
    marks: settings.builds.flatMap(({ name }) => [
      { ours: name, other: 'bao agent', measure: 'seconds', atMost: 1 },
      { ours: name, other: 'bao agent', measure: 'rss', atMost: 0.85 },
    ]),
    notes: bao === undefined ? [missing('bao')] : [],
    close: async () => {
      await store.program.stop();
      await sandbox.stop();
    },
  };
}

function agentVariant(
  { name, command }: { readonly name: string; readonly command: readonly string[] },
  store: BenchStore,
  tokenFile: string,
  settings: Settings,
): Variant {
  return {
    name,
    run: () =>
      repeated(async () => {
        const folder = await mkdtemp(join(settings.scratch, 'agent-'));
        const config = join(folder, 'agent.hcl');
        await writeFile(config, configuration(store.address, tokenFile, folder));
        const sample = await runOnce([...command, `-config=${config}`, '-exit-after-auth'], settings);
        for (const file of files) {
          if (!(await readFile(join(folder, `${file}.pem`), 'utf8')).includes('-----BEGIN')) {
            throw new Error(`${name} did not render ${file}.pem`);
          }
        }
        return sample;
      }),
  };
}

function configuration(address: string, tokenFile: string, folder: string): string {
  const templates = files.map(
    (file) => `template {
  destination = ${JSON.stringify(join(folder, `${file}.pem`))}
  contents    = ${JSON.stringify(templateOf(file))}
}`,
  );
  return `vault {
  address = ${JSON.stringify(address)}
}
auto_auth {
  method "kubernetes" {
    mount_path = "auth/kubernetes-cluster1"
    config = {
      role       = "istiod"
      token_path = ${JSON.stringify(tokenFile)}
    }
  }
}
exit_after_auth = true
${templates.join('\n')}
`;
}

const script = `
const { readFileSync, writeFileSync } = require('node:fs');
const http = require('node:http');
const call = (method, path, headers, body) => new Promise((resolve, reject) => {
  http.request(process.env.ADDRESS + path, { method, headers }, (response) => {
    let text = '';
    response.on('data', (part) => { text += part; }).on('end', () => resolve(JSON.parse(text)));
  }).on('error', reject).end(body);
});
(async () => {
  const jwt = readFileSync(process.env.TOKEN_FILE, 'utf8');
  const { auth } = await call('POST', '/v1/auth/kubernetes-cluster1/login', {}, JSON.stringify({ role: 'istiod', jwt }));
  const { data } = await call('GET', '/v1/${bundlePath}', { 'X-Vault-Token': auth.client_token });
  for (const [name, text] of Object.entries(data)) writeFileSync(name, text);
  process.exit(0);
})();`;

/** What Node can do at best: the same calls and files without an agent around them. */
function scriptVariant(store: BenchStore, tokenFile: string, settings: Settings): Variant {
  const env = { ADDRESS: store.address, TOKEN_FILE: tokenFile };
  return {
    name: 'limit: bare Node script of the same calls',
    run: () => repeated(() => runOnce([process.execPath, '-e', script], { ...settings, env })),
  };
}

/** The mean of several starts. */
async function repeated(run: () => Promise<Sample>): Promise<Sample> {
  const samples: Sample[] = [];
  for (let i = 0; i < repeats; i++) samples.push(await run());
  const mean = (measure: 'seconds' | 'cpuSeconds' | 'rss') => {
    const values = samples.flatMap((sample) => sample[measure] ?? []);
    return values.length === 0 ? {} : { [measure]: values.reduce((a, b) => a + b) / values.length };
  };
  return { ...mean('seconds'), ...mean('cpuSeconds'), ...mean('rss') };
}
