import { basename, dirname } from 'node:path';
import { keyMatches } from '../../x509/keys.ts';
import type { ScanFinding, ScannedFile } from './input.ts';
import type { RuleContext } from './rule.ts';

/** The key of a CA in a Secret: whoever may read Secrets in that namespace can sign for the whole mesh. */
export function judgeSecretKeys({ input, found }: RuleContext): ScanFinding[] {
  const authorities = found.filter(({ certificate }) => certificate.isCa);
  return input.files.flatMap(({ path, key, inSecret }): ScanFinding[] => {
    if (inSecret !== true || key === undefined) return [];
    const authority = authorities.find(({ certificate }) => keyMatches(certificate, key.publicKey));
    if (authority === undefined) return [];
    const message = 'a CA key in a Kubernetes Secret: who may read Secrets there can sign for the whole mesh';
    const hint = 'keep it in Vault: meshroot init, then meshroot apply';
    return [{ code: 'ca-key-in-secret', message, hint, file: path }];
  });
}

/**
 * Every namespace of every scanned cluster has to trust the same roots (`istio-ca-root-cert`): one that shares none
 * with the rest refuses all others and is refused; one that lacks some is behind, as for a moment in a rotation.
 */
export function judgeRootConfigMaps({ input }: RuleContext): ScanFinding[] {
  const maps = input.files.filter(({ path }) => basename(dirname(path)) === 'istio-ca-root-cert');
  const sets = maps.map((file) => ({ file, roots: rootsOf(file) }));
  const usual = mostFrequent(sets.map(({ roots }) => roots.join(' '))).split(' ');
  return sets.flatMap(({ file, roots }): ScanFinding[] => {
    if (roots.join(' ') === usual.join(' ')) return [];
    const strange = !roots.some((root) => usual.includes(root));
    const message = strange
      ? 'trusts no root that the other namespaces trust: workloads here and there refuse each other'
      : 'holds other roots than most namespaces, though some are the same';
    return [
      {
        code: strange ? 'root-mismatch' : 'roots-differ',
        message,
        hint: 'see which istiod or CA writes it, and under which root it signs; in a rotation, wait and scan again',
        ...(strange ? {} : { severity: 'warning' as const }),
        file: file.path,
      },
    ];
  });
}

const rootsOf = ({ certificates }: ScannedFile): string[] =>
  certificates.map(({ fingerprint }) => fingerprint).sort();

/** The first of those that occur most often; '' of none. */
function mostFrequent(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  const [first] = [...counts].sort(([, a], [, b]) => b - a);
  return first?.[0] ?? '';
}
