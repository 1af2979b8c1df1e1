import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type Clock, systemClock } from '../lib/clock.ts';
import { agentLog } from './agent-log.ts';
import { readConfig } from './config/read-config.ts';
import { runAgent } from './run-agent.ts';
import { gatewayVerifier } from './sets/gateway.ts';
import { istioCaVerifier } from './sets/istio-ca.ts';

/** An agent with a folder of its own, for tests. */
export interface TestAgent {
  readonly folder: string;
  readonly log: () => string;
  /** Runs it until it ends by itself or by `stop`. */
  run(stanzas: string, clock?: Clock): Promise<number>;
  file(name: string): Promise<string>;
  /** Waits for something to come true; fails with the log after 20 s. */
  until(condition: () => unknown): Promise<void>;
  /** What SIGHUP does. */
  reload(): Promise<void>;
  /** Ends it and leaves its folder. */
  stop(): Promise<void>;
  /** Ends it and removes its folder. */
  remove(): Promise<void>;
}

export async function testAgent(address: () => string): Promise<TestAgent> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-'));
  await writeFile(join(folder, 'jwt'), 'a.b.c');
  let log = '';
  let controller = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  let reload = async (): Promise<void> => {};
  const stop = async (): Promise<void> => {
    controller.abort();
    await running.catch(() => {});
  };
  return {
    folder,
    log: () => log,
    run: async (stanzas, clock = systemClock) => {
      const path = join(folder, 'agent.hcl');
      const login = /^auto_auth/m.test(stanzas) ? '' : kubernetesLogin(folder);
      const vault = /^vault /m.test(stanzas) ? '' : `vault { address = "${address()}" }`;
      await writeFile(path, `${vault}\n${login}\n${stanzas}`);
      const out = new Writable({
        write(chunk, _, done) {
          log += String(chunk);
          done();
        },
      });
      controller = new AbortController();
      const started = runAgent({
        config: await readConfig([path], {}),
        env: {},
        clock,
        random: () => 0.5,
        log: agentLog({ out, clock, format: 'standard', level: () => 'info' }),
        verifiers: [istioCaVerifier, gatewayVerifier],
        signal: controller.signal,
        onReloadable: (files) => {
          reload = files;
        },
      });
      running = started;
      return started;
    },
    file: (name) => readFile(join(folder, name), 'utf8'),
    until: async (condition) => {
      for (const end = systemClock.now() + 20_000; systemClock.now() < end; ) {
        if (await condition()) return;
        await systemClock.sleep(5);
      }
      throw new Error(`it did not happen:\n${log.slice(-3000)}`);
    },
    reload: () => reload(),
    stop,
    remove: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function kubernetesLogin(folder: string): string {
  return `auto_auth { method "kubernetes" { mount_path = "auth/kubernetes-c1"
  config = { role = "r", token_path = "${folder}/jwt" } } }`;
}
