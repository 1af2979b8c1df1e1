import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { testIssuer, tokenIssuer, writeFiles } from '../src/istio/test-mesh.ts';
import { freePorts, start } from '../test/support/program.ts';
import { letLoose, type Storm, stormCallers } from '../test/support/storm.ts';
import { makeBundle } from './lib/bundle.ts';
import { answers } from './lib/echo.ts';
import type { Sample } from './lib/measures.ts';
import { cpuMs, peakRssMb } from './lib/process-usage.ts';
import type { Build, Plan, Question, Settings, Variant } from './lib/question.ts';

const identities = 10_000;
const connections = 64;

/** A cluster comes back and every workload asks at once: is each served, once, and in how much memory? */
export const caStorm: Question = { name: 'ca-storm', prepare };

type Issuer = Awaited<ReturnType<typeof tokenIssuer>>;

async function prepare(settings: Settings): Promise<Plan> {
  const issuer = await tokenIssuer();
  const callers = await stormCallers(identities, issuer);
  const bundle = await makeBundle();
  return {
    title: `${identities} identities ask for a certificate at once`,
    method: `${connections} connections, one process; a token, a key and a request each, tokens checked by keys; who is told to come back does, as an agent; nothing is warm`,
    measures: ['served', 'serials', 'retries', 'seconds', 'peakRss', 'cpuSeconds'],
    variants: settings.builds.map((build) => stormVariant(build, { bundle, issuer, callers, settings })),
    marks: [],
    limits: settings.builds.map(({ name }) => ({ ours: name, measure: 'peakRss', below: 200 })),
    notes: [`all served and none twice: ${identities} served with as many serials, or the run fails`],
  };
}

interface Given {
  readonly bundle: Awaited<ReturnType<typeof makeBundle>>;
  readonly issuer: Issuer;
  readonly callers: Storm['callers'];
  readonly settings: Settings;
}

function stormVariant({ name, command }: Build, given: Given): Variant {
  const { bundle, issuer, callers, settings } = given;
  const run = async (): Promise<Sample> => {
    const folder = await mkdtemp(join(settings.scratch, 'ca-storm-'));
    const jwks = join(folder, 'jwks.json');
    await writeFiles(folder, bundle.files);
    await writeFile(jwks, issuer.jwks);
    const [port = 0] = await freePorts(1);
    const keys = ['--root-ca-dir', folder, '--jwks', jwks, '--issuer', testIssuer];
    const ledger = ['--ledger', join(folder, 'ledger')];
    const words = [...command, 'ca', ...keys, ...ledger, '--listen', `127.0.0.1:${port}`];
    const program = start(words, { cwd: folder });
    try {
      await program.until(() => answers(port));
      const before = cpuMs(program.pid) ?? 0;
      const result = await letLoose({ port, rootPem: bundle.root.certificate.pem, connections, callers });
      return sampleOf(result, program.pid, before);
    } finally {
      await program.stop();
    }
  };
  return { name, run };
}

function sampleOf(result: Awaited<ReturnType<typeof letLoose>>, pid: number, before: number): Sample {
  const { served, serials, identities: names, retries, seconds } = result;
  if (served !== identities || serials !== identities || names !== identities)
    throw new Error(
      `${served} served, ${serials} serials, ${names} identities: ${JSON.stringify(result.refusals)}`,
    );
  const peakRss = peakRssMb(pid);
  const cpuSeconds = ((cpuMs(pid) ?? 0) - before) / 1000;
  return { served, serials, retries, seconds, cpuSeconds, ...(peakRss === undefined ? {} : { peakRss }) };
}
