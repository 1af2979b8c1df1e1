import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';

const clusterSchema = z.looseObject({
  server: z.string(),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': z.string().optional(),
  'proxy-url': z.string().optional(),
});

const userSchema = z.looseObject({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.string().optional(),
  exec: z.looseObject({ command: z.string() }).optional(),
  'auth-provider': z.looseObject({ name: z.string() }).optional(),
});

const contextSchema = z.looseObject({
  cluster: z.string(),
  user: z.string().optional(),
  namespace: z.string().optional(),
});

const list = <T extends z.ZodType>(item: T) => z.array(item).nullish();

const fileSchema = z.looseObject({
  clusters: list(z.object({ name: z.string(), cluster: clusterSchema })),
  users: list(z.object({ name: z.string(), user: userSchema.nullish() })),
  contexts: list(z.object({ name: z.string(), context: contextSchema })),
  'current-context': z.string().nullish(),
});

type File = z.infer<typeof fileSchema>;
export type KubeconfigCluster = z.infer<typeof clusterSchema>;
export type KubeconfigUser = z.infer<typeof userSchema>;

/** One context of a kubeconfig with what it points at; file names in it are absolute. */
export interface KubeconfigContext {
  readonly name: string;
  readonly clusterName: string;
  readonly cluster: KubeconfigCluster;
  readonly userName: string;
  readonly user: KubeconfigUser;
  readonly namespace: string | undefined;
}

/** Files as they were read last, by path: a thousand contexts of one file are one parse, not a thousand. */
export type KubeconfigCache = Map<
  string,
  { readonly state: string; readonly file: Promise<File | undefined> }
>;

/**
 * Reads one or several kubeconfig files as kubectl does: of two entries with the same name the first wins, the first
 * `current-context` counts, relative file names are relative to their own file.
 * @param cache what an earlier call read is taken from it while the file is the same
 * @throws MeshrootError `kubeconfig-missing`, `bad-kubeconfig`, `unknown-context`
 */
export async function readKubeconfig(
  paths: readonly string[],
  context?: string,
  cache: KubeconfigCache = new Map(),
): Promise<KubeconfigContext> {
  const files = await Promise.all(paths.map((path) => unchanged(path, cache)));
  const present = files.filter((file) => file !== undefined);
  if (present.length === 0) {
    throw new MeshrootError('kubeconfig-missing', `no kubeconfig at ${paths.join(', ')}`, {
      hint: 'name one with --kubeconfig FILE, kubeconfig: FILE in mesh.yaml or the environment variable KUBECONFIG',
    });
  }
  return choose(present, context, paths.join(', '));
}

function choose(files: readonly File[], wanted: string | undefined, where: string): KubeconfigContext {
  const name = wanted ?? files.map((file) => file['current-context']).find((value) => value);
  if (!name) {
    throw new MeshrootError('unknown-context', `${where} has no current-context`, {
      hint: 'name one: --context NAME, or context: NAME in mesh.yaml',
    });
  }
  const contexts = files.flatMap((file) => file.contexts ?? []);
  const context = contexts.find((entry) => entry.name === name)?.context;
  if (context === undefined) {
    const known = contexts.map((entry) => entry.name).join(', ') || 'none';
    throw new MeshrootError('unknown-context', `${where} has no context "${name}"`, {
      hint: `known: ${known}`,
    });
  }
  const clusters = files.flatMap((file) => file.clusters ?? []);
  const cluster = clusters.find((entry) => entry.name === context.cluster)?.cluster;
  if (cluster === undefined) {
    throw new MeshrootError('bad-kubeconfig', `${where}: context "${name}" names no known cluster`);
  }
  const users = files.flatMap((file) => file.users ?? []);
  const user = users.find((entry) => entry.name === context.user)?.user ?? {};
  return {
    name,
    clusterName: context.cluster,
    cluster,
    userName: context.user || 'none',
    user,
    namespace: context.namespace,
  };
}

/** Another inode, size or time of change means another text. */
async function unchanged(path: string, cache: KubeconfigCache): Promise<File | undefined> {
  const found = await stat(path).catch(() => undefined);
  const state = found === undefined ? 'absent' : `${found.ino} ${found.size} ${found.mtimeMs}`;
  const known = cache.get(path);
  if (known?.state === state) return known.file;
  const file = readFileOf(path);
  cache.set(path, { state, file });
  return file;
}

async function readFileOf(path: string): Promise<File | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw bad(`${path}: ${messageOf(error)}`, error);
  }
  return absolute(await parseKubeconfig(text, path), dirname(path));
}

/** JSON (as the sandbox writes it) needs no YAML parser, which costs 35 ms of start. */
export async function parseKubeconfig(text: string, path: string): Promise<File> {
  let raw: unknown;
  try {
    raw = text.trimStart().startsWith('{')
      ? JSON.parse(text)
      : (await import('yaml')).parse(text, { logLevel: 'error' });
  } catch (error) {
    // The parser's own text may quote a line, and a line may hold a token: only the first sentence, without excerpt.
    const reason =
      messageOf(error)
        .split('\n')[0]
        ?.replace(/"[^"]*"/g, '…') ?? '';
    throw bad(`${path} is not YAML: ${reason.replace(/:$/, '')}`);
  }
  const parsed = fileSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') || 'the file';
  throw bad(`${path} is not a kubeconfig: ${where} ${issue?.message.toLowerCase() ?? ''}`.trim());
}

const bad = (message: string, cause?: unknown): MeshrootError =>
  new MeshrootError('bad-kubeconfig', message, {
    hint: 'kubectl config view, with the same file, says whether it is one',
    ...(cause !== undefined && { cause }),
  });

const clusterFiles = ['certificate-authority'] as const;
const userFiles = ['tokenFile', 'client-certificate', 'client-key'] as const;

function absolute(file: File, folder: string): File {
  for (const { cluster } of file.clusters ?? []) resolveIn(cluster, clusterFiles, folder);
  for (const { user } of file.users ?? []) if (user) resolveIn(user, userFiles, folder);
  return file;
}

function resolveIn<K extends string>(
  entry: { [key in K]?: unknown },
  keys: readonly K[],
  folder: string,
): void {
  for (const key of keys) {
    const value = entry[key];
    if (typeof value === 'string' && value !== '' && !isAbsolute(value)) entry[key] = join(folder, value);
  }
}
