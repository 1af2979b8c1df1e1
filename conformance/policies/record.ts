/** Records policies.golden.json from a real store: `bao server -dev` of PATH, or BAO=its path. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { freePorts } from '../../test/support/program.ts';
import { policyCases } from './cases.ts';
import { type Ask, mountName, runCase } from './run-case.ts';

const [port = 0] = await freePorts(1);
const address = `http://127.0.0.1:${port}/v1/`;
const flags = ['server', '-dev', '-dev-root-token-id=root', '-dev-no-store-token'];
const child: ChildProcess = spawn('bao', [...flags, `-dev-listen-address=127.0.0.1:${port}`], {
  stdio: 'ignore',
});

const ask: Ask = async (method, path, data, options = {}) => {
  const wrap: Record<string, string> =
    options.wrapTtl === undefined ? {} : { 'X-Vault-Wrap-TTL': String(options.wrapTtl) };
  const response = await fetch(address + path + (method === 'LIST' ? '?list=true' : ''), {
    method: method === 'LIST' ? 'GET' : method,
    headers: { 'X-Vault-Token': options.token ?? 'root', ...wrap },
    ...(data === undefined ? {} : { body: JSON.stringify(data) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
};

try {
  for (let i = 0; i < 200; i++) {
    const isUp = await fetch(`${address}sys/health`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isUp) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await ask('PUT', `sys/mounts/${mountName}`, { type: 'kv' });
  const answers: unknown[] = [];
  for (const one of policyCases) answers.push(await runCase(one, ask));
  const lines = answers.map((answer, i) => JSON.stringify({ case: policyCases[i], answer }));
  writeFileSync(new URL('policies.golden.json', import.meta.url), `[\n${lines.join(',\n')}\n]\n`);
  process.stdout.write(`${answers.length} cases recorded\n`);
} finally {
  child.kill();
}
