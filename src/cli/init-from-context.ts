import { dirname, join, relative, resolve } from 'node:path';
import { type Clock, systemClock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import { readLimitedFile } from '../lib/limited-file.ts';
import type { ClusterDraft } from '../mesh/found/draft-cluster.ts';
import type { MeshDraft } from '../mesh/found/draft-mesh.ts';
import { nameAndContext } from '../mesh/init-file.ts';
import type { Io } from './io.ts';
import { writeNew } from './write-new.ts';

export interface FromContextFlags {
  readonly file: string;
  readonly vault?: string;
  readonly fromContext: readonly string[];
  readonly kubeconfig?: string;
  readonly injector: boolean;
  readonly json?: boolean;
}

/** `meshroot init --from-context`: looks at clusters that run and writes what it found as a mesh.yaml. */
export async function initFromContext(
  flags: FromContextFlags,
  io: Io,
  clock: Clock = systemClock,
): Promise<void> {
  const [{ draftMesh }, { draftToJson, renderDraft }] = await Promise.all([
    import('../mesh/found/draft-mesh.ts'),
    import('../mesh/found/render-draft.ts'),
  ]);
  const clusters = await Promise.all(flags.fromContext.map((word) => lookAt(word, flags, io, clock)));
  const mesh = draftMesh(clusters, {
    vault: flags.vault,
    fallbackVault: io.env.VAULT_ADDR || undefined,
    injector: flags.injector,
  });
  if (flags.json !== true) io.stdout.write(renderDraft(clusters, mesh));
  const files = await write(flags.file, mesh);
  if (flags.json === true) io.stdout.write(`${JSON.stringify(draftToJson(clusters, mesh, files))}\n`);
  else io.stdout.write(files.map((file) => `${file}\n`).join(''));
  io.stderr.write(`next   meshroot plan -f ${flags.file}\n`);
}

async function lookAt(word: string, flags: FromContextFlags, io: Io, clock: Clock): Promise<ClusterDraft> {
  const [{ connect }, { readClusterObjects }, { draftCluster }] = await Promise.all([
    import('../kube/connect.ts'),
    import('../mesh/found/cluster-objects.ts'),
    import('../mesh/found/draft-cluster.ts'),
  ]);
  const { name, context } = nameAndContext(word);
  const kube = await connect({ context, kubeconfig: flags.kubeconfig, env: io.env });
  try {
    const kubeconfig = flags.kubeconfig && relative(dirname(resolve(flags.file)), resolve(flags.kubeconfig));
    return draftCluster({ name, context, kubeconfig }, await readClusterObjects(kube), clock.now());
  } finally {
    kube.close();
  }
}

/** The root's certificate first: a mesh.yaml without it would be half of what was found. */
async function write(file: string, { text, root }: MeshDraft): Promise<string[]> {
  if (text === undefined) {
    throw new MeshrootError('not-answered', 'no cluster tells where Vault is, and nothing was written', {
      hint: 'add --vault https://vault.example:8200',
    });
  }
  const rootFile = join(dirname(file), 'root-cert.pem');
  const there = root === undefined ? undefined : (await readLimitedFile(rootFile))?.bytes.toString('utf8');
  const needed = root !== undefined && there !== root;
  if ((await readLimitedFile(file, Number.MAX_SAFE_INTEGER)) !== undefined || !needed) {
    await writeNew(file, text); // refuses before anything else is written
    return [file];
  }
  await writeNew(rootFile, root);
  await writeNew(file, text);
  return [rootFile, file];
}
