import { spawnSync } from 'node:child_process';
import { quote } from '../quote.ts';
import { FunctionError, fromUtf8, toUtf8 } from '../values.ts';
import { define, type FunctionTable } from './define.ts';
import { trimSpace } from './text.ts';

/** How long a program may take, in milliseconds; everything else waits for it. */
const patienceMs = 30_000;

/** `plugin PROGRAM ARGS…`: what a program prints, trimmed. It runs at each pass, also in those that are thrown away. */
export const pluginFunctions: FunctionTable = {
  plugin: define(['string', '...string'], 'string', (a) => {
    const [program = '', ...args] = a.texts(0).map(toUtf8);
    if (program === '') return '';
    const given = args.map(trimSpace).filter((arg) => arg !== '');
    const { error, status, stdout } = spawnSync(program, given, { timeout: patienceMs, encoding: 'utf8' });
    const name = `exec ${quote(program)}`;
    if (error !== undefined && 'code' in error && error.code === 'ETIMEDOUT')
      throw new FunctionError(`${name}: did not finish in ${patienceMs / 1000}s`);
    if (error !== undefined) throw new FunctionError(`${name}: ${error.message}`);
    // What it printed is left out: it may be a secret, and this goes to a log.
    if (status !== 0) throw new FunctionError(`${name}: exit status ${status}`);
    return trimSpace(fromUtf8(stdout));
  }),
};
