import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { readConfig } from '../../src/agent/config/read-config.ts';
import { runAgent } from '../../src/agent/run-agent.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type Logger, silentLogger } from '../../src/lib/log.ts';
import type { Storm, StormResult } from './storm.ts';

/** Many agents in one process: reads a Storm from stdin, prints a StormResult. */
const storm = JSON.parse(await text(process.stdin)) as Storm;
const folder = await mkdtemp(join(storm.scratch, 'storm-'));
const logins: number[] = [];

const log: Logger = {
  ...silentLogger,
  info: (message) => {
    if (message.startsWith('authentication successful')) logins.push((performance.now() - began) / 1000);
  },
  named: () => log,
};

async function prepared(i: number) {
  const own = join(folder, `${i}`);
  const method = {
    type: 'kubernetes',
    mount_path: 'auth/kubernetes-cluster1',
    config: { role: 'istiod', token_path: storm.tokenFile, login_spread: storm.spread },
  };
  const config = {
    vault: { address: storm.address },
    exit_after_auth: true,
    auto_auth: { method },
    template: [
      {
        destination: `${own}.pem`,
        contents: `{{ with secret "${storm.path}" }}{{ .Data.ca_cert }}{{ end }}`,
      },
    ],
  };
  await writeFile(`${own}.json`, JSON.stringify(config));
  return readConfig([`${own}.json`], {});
}

const configs = await Promise.all(Array.from({ length: storm.agents }, (_, i) => prepared(i)));
const began = performance.now();
const common = { env: {}, clock: systemClock, random: Math.random, log, verifiers: [] };
await Promise.all(
  configs.map((config) => runAgent({ ...common, config, signal: AbortSignal.timeout(120_000) })),
);
const last = await readFile(join(folder, `${storm.agents - 1}.pem`), 'utf8');
if (!last.includes('-----BEGIN')) throw new Error('the last agent did not render its file');
await rm(folder, { recursive: true });
const result: StormResult = { logins };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
