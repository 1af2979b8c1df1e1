import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { injectorManifests } from '../injector/manifests.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { addFlags, environmentOf, givenFlags, readSettings } from './injector-flags.ts';
import type { Io } from './io.ts';

const examples = `
examples:
  # an injector in namespace vault; only pods of istio-system are held up while it is away
  meshroot injector manifests -vault-address=https://vault.example:8200 -cluster=cluster1 \\
    --fail-closed istio-system | kubectl apply -f -

  # with a policy of allowed stores, roles and images, and Events for what it refuses
  meshroot injector manifests -vault-address=https://vault.example:8200 --policy policy.yaml -events=true`;

interface Flags {
  readonly namespace?: string;
  readonly image?: string;
  readonly replicas?: string;
  readonly failClosed?: string;
  readonly policy?: string;
  readonly json?: boolean;
}

/** `meshroot injector manifests`: everything that an injector in a cluster consists of, as YAML. */
export function manifestsCommand(io: Io): Command {
  const built = new Command('manifests')
    .description('what runs and registers an injector in a cluster, for kubectl apply -f -')
    .option('--namespace <name>', 'where it runs (default: vault)')
    .option('--image <image>', 'of the injector')
    .option('--replicas <n>', 'how many (default: 1)')
    .option(
      '--fail-closed <namespaces>',
      'comma-separated; pods elsewhere start as they are while it is away',
    )
    .option('--policy <file>', 'kept in a ConfigMap, as -policy-file')
    .option('--json', 'print a List as JSON')
    .addHelpText('after', examples);
  addFlags(built);
  return built.action(async (flags: Flags) => {
    const given = givenFlags(built);
    const settings = readSettings(given, {});
    const policy = flags.policy === undefined ? undefined : await readPolicy(flags.policy);
    const items = injectorManifests({
      vaultAddress: settings.vaultAddress,
      ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
      ...(flags.image === undefined ? {} : { image: flags.image }),
      ...(flags.replicas === undefined ? {} : { replicas: replicasOf(flags.replicas) }),
      ...(flags.failClosed === undefined ? {} : { failClosed: namespacesOf(flags.failClosed) }),
      ...(policy === undefined ? {} : { policy }),
      events: settings.events,
      configMaps: settings.configMaps,
      leaderElection: settings.useLeaderElector,
      env: environmentOf(given),
    });
    if (flags.json === true) {
      io.stdout.write(`${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`);
      return;
    }
    const { stringify } = await import('yaml');
    io.stdout.write(items.map((item) => `---\n${stringify(item, { lineWidth: 0 })}`).join(''));
  });
}

function replicasOf(text: string): number {
  const replicas = Number(text);
  if (Number.isInteger(replicas) && replicas >= 0) return replicas;
  throw new MeshrootError('bad-setting', `--replicas ${text}: that is no number of pods`, { exit: 2 });
}

function namespacesOf(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  const bad = names.find((name) => !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name));
  if (bad === undefined) return names;
  throw new MeshrootError('bad-setting', `--fail-closed: "${bad}" is no name of a namespace`, {
    hint: 'write for example --fail-closed istio-system,istio-ingress',
    exit: 2,
  });
}

/** Checked before it is in a cluster, where a broken one would only be seen in a log. */
async function readPolicy(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new MeshrootError('no-file', `cannot read ${file}: ${messageOf(error)}`, { exit: 2 });
  });
  const { parsePolicy } = await import('../injector/policy-file.ts');
  parsePolicy(text);
  return text;
}
