import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runCaCases } from './ca/run-cases.ts';
import { runIstiod } from './ca/run-istiod.ts';
import { type CaTarget, remoteTarget } from './ca/target.ts';
import { overHttp } from './vault/over-http.ts';
import { type CaseResult, runCases } from './vault/run-cases.ts';

/** The tables of cases against any server, real ones too. */
const usage = `usage: npm run conformance -- [vault] --address URL --token ROOT-TOKEN [--unseal-key KEY] [--only TEXT]
       npm run conformance -- ca --address HOST:PORT --root root-cert.pem --token-file FILE
           [--account NAMESPACE:ACCOUNT] [--cluster NAME] [--kind istiod|meshroot|meshroot-compat] [--only TEXT]
       npm run conformance -- ca --istiod PATH-OF-PILOT-DISCOVERY [--only TEXT]
`;
const text = { type: 'string' } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    address: text,
    token: text,
    only: text,
    root: text,
    'token-file': text,
    account: text,
    cluster: text,
    kind: text,
    istiod: text,
    'unseal-key': text,
  },
});

function misused(): never {
  process.stderr.write(usage);
  process.exit(2);
}

function ask(): Promise<CaseResult[]> {
  const { istiod, token, only } = values;
  const [table = 'vault'] = positionals;
  if (table === 'ca' && istiod !== undefined) return runIstiod(istiod, only);
  const { address = misused() } = values;
  if (table === 'ca') return runCaCases(caTarget(address), only);
  if (table === 'vault' && token !== undefined) {
    return runCases(overHttp(address), token, { only, unsealKey: values['unseal-key'] });
  }
  return misused();
}

function caTarget(address: string): CaTarget {
  const { root = misused(), 'token-file': tokenFile = misused(), cluster = 'Kubernetes' } = values;
  const [namespace = 'default', account = 'default'] = (values.account ?? 'default:default').split(':');
  return remoteTarget({
    address,
    kind: kindOf(values.kind),
    rootPem: readFileSync(root, 'utf8'),
    token: readFileSync(tokenFile, 'utf8').trim(),
    cluster,
    namespace,
    account,
  });
}

function kindOf(name = 'meshroot'): CaTarget['kind'] {
  return name === 'meshroot' || name === 'meshroot-compat' || name === 'istiod' ? name : misused();
}

const results = await ask();
for (const { name, problem, skipped } of results) {
  if (skipped !== undefined) process.stdout.write(`skip  ${name} (${skipped})\n`);
  else
    process.stdout.write(
      `${problem === undefined ? 'ok   ' : 'FAIL '} ${name}${problem === undefined ? '' : `\n      ${problem}`}\n`,
    );
}
const failed = results.filter(({ problem }) => problem !== undefined).length;
const skipped = results.filter((result) => result.skipped !== undefined).length;
process.stdout.write(`\n${results.length - failed - skipped} passed, ${failed} failed, ${skipped} skipped\n`);
process.exit(failed === 0 ? 0 : 1);
