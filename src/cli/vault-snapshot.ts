import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';
import type { Io } from './io.ts';

interface Flags {
  readonly address?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `meshroot vault snapshot`: everything in one file, and back. */
export function snapshotCommand(io: Io): Command {
  const save = new Command('save')
    .description('writes a backup of the running store; values in it are encrypted')
    .argument('<file>', 'a file that is not there yet, or is replaced when the backup is whole')
    .action((file: string, flags: Flags) => saveTo(io, file, flags));
  const restore = new Command('restore')
    .description('puts a backup in the place of everything that is in the store')
    .argument('<file>')
    .option('--force', 'take the backup of another store, too; unseal with its key shares then')
    .action((file: string, flags: Flags) => restoreFrom(io, file, flags));
  for (const command of [save, restore]) {
    command
      .option('--address <url>', 'of the store (default $VAULT_ADDR, else http://127.0.0.1:8200)')
      .option('--json', 'print what was done as JSON');
  }
  return new Command('snapshot')
    .description('a backup of the running store, and its way back')
    .addCommand(save)
    .addCommand(restore);
}

/** Whole or not there: written beside it and renamed when the server has ended the stream. */
async function saveTo(io: Io, file: string, flags: Flags): Promise<void> {
  const part = `${file}.part`;
  try {
    const answer = await send(io, flags, 'GET', 'sys/storage/raft/snapshot');
    await pipeline(answer, createWriteStream(part, { mode: 0o600, flags: 'w' }));
    if (!answer.complete) throw new MeshrootError('snapshot-failed', 'the server broke off');
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    if (error instanceof MeshrootError) throw error;
    throw new MeshrootError('snapshot-failed', `the snapshot was not saved: ${messageOf(error)}`);
  }
  const { size } = await stat(file);
  io.stdout.write(
    flags.json === true ? `${JSON.stringify({ file, bytes: size })}\n` : `saved ${size} bytes to ${file}\n`,
  );
}

async function restoreFrom(io: Io, file: string, flags: Flags): Promise<void> {
  const path = `sys/storage/raft/snapshot${flags.force === true ? '-force' : ''}`;
  const answer = await send(io, flags, 'POST', path, file);
  answer.resume();
  io.stdout.write(
    flags.json === true ? `${JSON.stringify({ file, restored: true })}\n` : `restored from ${file}\n`,
  );
}

/** @throws MeshrootError with the server's own text */
async function send(
  io: Io,
  flags: Flags,
  method: string,
  path: string,
  file?: string,
): Promise<IncomingMessage> {
  const address = flags.address ?? io.env.VAULT_ADDR ?? 'http://127.0.0.1:8200';
  const url = new URL(`/v1/${path}`, address);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const { VAULT_TOKEN: token, VAULT_CACERT: ca } = io.env;
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method,
      headers: { 'X-Vault-Request': 'true', ...(token === undefined ? {} : { 'X-Vault-Token': token }) },
      ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    });
    request.on('response', resolve);
    request.on('error', (cause) => reject(unreachable(address, cause)));
    if (file === undefined) request.end();
    else pipeline(createReadStream(file), request).catch((cause: unknown) => reject(unreadable(file, cause)));
  });
  if ((answer.statusCode ?? 500) < 300) return answer;
  throw new MeshrootError('snapshot-refused', await refusalText(answer), { exit: 1 });
}

async function refusalText(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += String(chunk);
  try {
    const body: unknown = JSON.parse(text);
    if (isRecord(body) && Array.isArray(body.errors))
      return `${answer.statusCode}: ${body.errors.join('; ')}`;
  } catch {
    // no JSON: the status says enough
  }
  return `the server answered ${answer.statusCode}`;
}

const unreachable = (address: string, cause: Error): MeshrootError =>
  new MeshrootError('vault-unreachable', `${address} cannot be reached: ${cause.message}`, { cause });

const unreadable = (file: string, cause: unknown): MeshrootError =>
  new MeshrootError('snapshot-failed', `${file} could not be sent: ${messageOf(cause)}`, { cause });
