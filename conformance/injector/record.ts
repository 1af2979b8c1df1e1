import { mkdir, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import { reviewAdmission } from '../../src/injector/review.ts';
import { defaultSettings } from '../../src/injector/settings.ts';
import { fileNameOf, sameOutcome } from './compare.ts';
import { onPurpose } from './on-purpose.ts';
import { outcomeOf } from './outcome.ts';
import { podCases, reviewOf } from './pods.ts';

/**
 * Asks a running vault-k8s (URL of its /mutate) about every pod and writes what it decided into goldens/; prints where
 * ours decides otherwise. tools: `node --import tsx conformance/injector/record.ts https://127.0.0.1:18443/mutate`
 */
const url = process.argv[2] ?? 'https://127.0.0.1:18443/mutate';
const goldens = new URL('goldens/', import.meta.url);
const settings = { ...defaultSettings, vaultAddress: 'http://127.0.0.1:8200' };
const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });

function ask(body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const request = https.request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${response.statusCode} ${text}`));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

const recorded = [];
for (const podCase of podCases) {
  const answer = await ask(JSON.stringify(reviewOf(podCase)));
  recorded.push({ podCase, theirs: outcomeOf(podCase.pod, answer) });
}
await rm(goldens, { recursive: true, force: true }); // only now: an injector that does not answer costs no golden
await mkdir(goldens, { recursive: true });
let different = 0;
for (const { podCase, theirs } of recorded) {
  const golden = { case: podCase.name, peer: 'vault-k8s 1.7.6', outcome: theirs };
  await writeFile(new URL(fileNameOf(podCase.name), goldens), `${JSON.stringify(golden, null, 1)}\n`);
  const ours = outcomeOf(podCase.pod, reviewAdmission(reviewOf(podCase), settings).review);
  if (sameOutcome(theirs, ours)) continue;
  if (podCase.name in onPurpose && !isDeepStrictEqual(theirs, ours)) continue;
  different++;
  process.stdout.write(
    `${podCase.name}\n  theirs ${JSON.stringify(theirs)}\n  ours   ${JSON.stringify(ours)}\n`,
  );
}
process.stdout.write(`${podCases.length} pods, ${different} decided otherwise\n`);
agent.destroy();
process.exitCode = different === 0 ? 0 : 1;
