import { Command } from 'commander';
import { workloadSettings } from '../istio/workload-settings.ts';
import { systemClock } from '../lib/clock.ts';
import { istioLogger } from '../server/istio-log.ts';
import { runWorkload } from '../server/workload-run.ts';
import type { Io } from './io.ts';

const examples = `
environment, by pilot-agent's names:
  CA_ADDR HOST:PORT   CA_ROOT_CA FILE   TOKEN FILE   POD_NAMESPACE   SERVICE_ACCOUNT   TRUST_DOMAIN
  ISTIO_META_CLUSTER_ID   SECRET_TTL (24h)   OUTPUT_CERTS DIR   ECC_CURVE P256|P384   WORKLOAD_RSA_KEY_SIZE

examples:
  meshroot workload --listen 127.0.0.1:8443 --control 127.0.0.1:8444
  curl -d '{"host":"127.0.0.1","port":8443}' http://127.0.0.1:8444/handshake
  curl -d '[{"host":"127.0.0.1","port":8443}]' http://127.0.0.1:8444/peers?interval=50
  curl http://127.0.0.1:8444/stats;  curl -d '' http://127.0.0.1:8444/renew
`;

/** `meshroot workload`: a demo workload that gets its certificate as pilot-agent does, and shakes hands. */
export function command(io: Io): Command {
  return new Command()
    .description('a demo workload: gets its certificate like pilot-agent and shakes hands')
    .option('--listen <host:port>', 'mutual TLS; answers one line with its own SPIFFE ID')
    .option('--control <host:port>', 'orders as JSON over HTTP, on loopback')
    .addHelpText('after', examples)
    .action(async (options: { listen?: string; control?: string }) => {
      const log = istioLogger(io.stdout, systemClock, { debug: io.env.MESHROOT_DEBUG !== undefined });
      await runWorkload({
        settings: workloadSettings(io.env),
        listen: options.listen,
        control: options.control,
        clock: systemClock,
        random: Math.random,
        log,
        signal: io.signal,
      });
    });
}
