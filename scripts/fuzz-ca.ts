import { randomBytes, randomInt } from 'node:crypto';
import { readCsr } from '../src/istio/ca-csr-rules.ts';
import { decodeRequest, encodeRequest } from '../src/istio/ca-messages.ts';
import { MeshrootError } from '../src/lib/errors.ts';
import { parseCrls } from '../src/x509/crl.ts';
import { createCsr, parseCsr } from '../src/x509/csr.ts';
import { generateKeyPair } from '../src/x509/keys.ts';
import { pemBlocks, toPem } from '../src/x509/pem.ts';

/**
 * `npm run fuzz -- ca [COUNT]`: requests of the certificate service, broken in a million ways (a bit, a byte, a length, a
 * piece cut out, two glued together, pure noise). Each must be read or refused with an error of ours; anything else, and
 * anything that takes a second of the processor, ends the run with the input that did it.
 */
const count = Number(process.argv.at(-1)) || 1_000_000;
const uri = ['spiffe://cluster.local/ns/demo/sa/shop'];
const strict = { mode: 'strict', minRsaBits: 2048 } as const;

async function seeds(): Promise<Buffer[]> {
  const made: Buffer[] = [];
  for (const type of ['ec-p256', 'ec-p384', 'rsa-2048', 'ed25519'] as const) {
    const key = await generateKeyPair(type);
    const subject = [{ type: 'O', value: '' }];
    for (const csr of [
      await createCsr({ key, subject, sans: { uri }, sanCritical: true }),
      await createCsr({ key }),
    ])
      made.push(...pemBlocks(csr).map(({ der }) => der));
  }
  return made;
}

function broken(seed: Buffer, other: Buffer): Buffer {
  const bytes = Buffer.from(seed);
  const at = randomInt(bytes.length);
  const how = randomInt(7);
  if (how === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << randomInt(8));
  else if (how === 1) bytes[at] = randomInt(256);
  else if (how === 2) bytes[at] = [0, 0x7f, 0x80, 0x81, 0x84, 0xff][randomInt(6)] ?? 0;
  else if (how === 3) return bytes.subarray(0, at);
  else if (how === 4) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + randomInt(1, 9))]);
  else if (how === 5) return Buffer.concat([bytes.subarray(0, at), other.subarray(randomInt(other.length))]);
  else return randomBytes(randomInt(1, 300));
  return bytes;
}

async function attempt(what: string, input: Buffer, read: () => unknown): Promise<void> {
  const began = process.cpuUsage(); // not the clock: other programs may have the processor
  try {
    await read();
  } catch (error) {
    if (!(error instanceof MeshrootError)) {
      process.stderr.write(`${what} threw ${String(error)} on ${input.toString('hex')}\n`);
      process.exit(1);
    }
  }
  if (process.cpuUsage(began).user < 1_000_000) return;
  process.stderr.write(`${what} took more than a second of the processor on ${input.toString('hex')}\n`);
  process.exit(1);
}

const ders = await seeds();
const messages = ders.map((der) =>
  encodeRequest({
    csr: toPem('CERTIFICATE REQUEST', der),
    ttl: 3_600_000,
    metadata: { ImpersonatedIdentity: uri[0] ?? '' },
  }),
);
const pick = (from: readonly Buffer[]): Buffer => from[randomInt(from.length)] ?? Buffer.alloc(1);
for (let i = 0; i < count; i++) {
  const der = broken(pick(ders), pick(ders));
  const message = broken(pick(messages), pick(messages));
  if (i % 4 === 0) await attempt('the request', der, () => parseCsr(der));
  else if (i % 4 === 1) await attempt('the message', message, () => decodeRequest(message));
  else if (i % 4 === 2)
    await attempt('the rules', der, () => readCsr(toPem('CERTIFICATE REQUEST', der), uri, strict));
  else if (i % 40 === 3) await attempt('the revocation list', der, () => parseCrls(toPem('X509 CRL', der)));
  else
    await attempt('the text of a message', message, () => readCsr(decodeRequest(message).csr, uri, strict));
  if (i % 100_000 === 99_999) process.stderr.write(`${i + 1} of ${count}\n`);
}
process.stdout.write(`${count} inputs: every one was read or refused\n`);
