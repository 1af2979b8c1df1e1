import { parseArgs } from 'node:util';
import { overHttp } from './vault/over-http.ts';
import { runCases } from './vault/run-cases.ts';

/** `npm run conformance -- vault --address URL --token T`: the table of cases against any server, real ones too. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    address: { type: 'string' },
    token: { type: 'string' },
    only: { type: 'string' },
    'unseal-key': { type: 'string' },
  },
});

if (positionals[0] !== 'vault' || values.address === undefined || values.token === undefined) {
  process.stderr.write(
    'usage: npm run conformance -- vault --address URL --token ROOT-TOKEN [--unseal-key KEY] [--only TEXT]\n',
  );
  process.exit(2);
}

const results = await runCases(overHttp(values.address), values.token, values.only, values['unseal-key']);
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
