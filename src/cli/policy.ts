import { Argument, Command } from 'commander';
import { loadMesh } from '../mesh/load.ts';
import { type PolicyRole, policyRoles, rolePolicy } from '../mesh/role-policies.ts';
import { clusterOf } from '../mesh/rotate-intermediate.ts';
import type { Io } from './io.ts';

const examples = `
roles
  reader      istiod: reads its own bundle
  writer      a portal or a pipeline: may write the bundle, not read it, nothing else
  auditor     plan, status: sees the set-up and every certificate, no key
  operator    apply, rotate, destroy: makes and changes what mesh.yaml names, nothing else

examples:
  meshroot policy print auditor | vault policy write mesh-plan -
  meshroot policy print writer --cluster prod-eu | vault policy write portal-prod-eu -
`;

/** `meshroot policy`: texts of Vault policies, as narrow as the mesh allows. */
export function command(io: Io): Command {
  const policy = new Command().description('Vault policies for those who work with the mesh');
  policy
    .command('print')
    .description('print the policy of a role, for vault policy write')
    .addArgument(new Argument('<role>', 'who').choices(policyRoles))
    .option('-f, --file <file>', 'the mesh', 'mesh.yaml')
    .option('--cluster <name>', 'for this cluster alone')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(async (role: PolicyRole, { file, cluster, json }: Flags) => {
      const mesh = await loadMesh(file);
      const clusters = cluster === undefined ? mesh.clusters : [clusterOf(mesh, cluster)];
      const text = rolePolicy(mesh, role, clusters);
      io.stdout.write(json ? `${JSON.stringify({ role, policy: text })}\n` : text);
    });
  return policy;
}

interface Flags {
  readonly file: string;
  readonly cluster?: string;
  readonly json?: boolean;
}
