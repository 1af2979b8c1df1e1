// Leaves V8's bytecode of dist/bin/meshroot.cjs beside it: an init agent is run against a store that is made up here, and
// what was compiled for it is kept. An agent then starts without compiling. Only a Node of the same version takes it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateKeyPair, privateKeyPem } from '../dist/x509/keys.js';
import { issueIntermediate } from '../dist/x509/templates/intermediate.js';
import { createRoot } from '../dist/x509/templates/root.js';

const { cacheOf, run } = createRequire(import.meta.url)('../bin/load-bundle.cjs');
const file = fileURLToPath(new URL('../dist/bin/meshroot.cjs', import.meta.url));
const names = ['ca_key', 'ca_cert', 'cert_chain', 'root_cert'];

async function bundle() {
  const [now, ttl] = [Date.now(), 3_600_000];
  const [rootKey, key] = await Promise.all([generateKeyPair('ec-p256'), generateKeyPair('ec-p256')]);
  const certificate = await createRoot({ key: rootKey, ttl: 2 * ttl, now });
  const issuer = { certificate, privateKey: rootKey.privateKey };
  const { pem } = await issueIntermediate({ issuer, publicKey: key.publicKey, name: 'c', ttl, now });
  const ca_key = privateKeyPem(key.privateKey).reveal();
  return { ca_key, ca_cert: pem, cert_chain: pem + certificate.pem, root_cert: certificate.pem };
}

/** As much of a store as an agent asks for. */
async function store() {
  const data = await bundle();
  const auth = { client_token: 't', accessor: 'a', policies: ['p'], lease_duration: 3600, renewable: true };
  const answers = [
    [/\/auth\//, { auth }],
    [/\/sys\/internal\//, { data: { type: 'kv', path: 'kv/', options: { version: '1' } } }],
    [/./, { request_id: 'r', lease_duration: 3600, data }],
  ];
  const server = http.createServer((request, response) => {
    const [, answer] = answers.find(([path]) => path.test(request.url));
    request.resume().on('end', () => response.end(JSON.stringify(answer)));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}

function configuration(folder, port) {
  writeFileSync(join(folder, 'token'), 'jwt');
  const template = names.map((name) => ({
    destination: join(folder, 'out', `${name.replace('_', '-')}.pem`),
    contents: `{{ with secret "kv/c" }}{{ .Data.${name} }}{{ end }}`,
  }));
  const config = { role: 'r', token_path: join(folder, 'token') };
  const sink = [{ type: 'file', config: { path: join(folder, 'sink') } }];
  const auto_auth = { method: { type: 'kubernetes', config }, sink };
  const vault = { address: `http://127.0.0.1:${port}` };
  writeFileSync(
    join(folder, 'agent.json'),
    JSON.stringify({ vault, auto_auth, template, exit_after_auth: true }),
  );
  return join(folder, 'agent.json');
}

const folder = mkdtempSync(join(tmpdir(), 'bundle-cache-'));
const server = await store();
try {
  const source = readFileSync(file, 'utf8');
  const { exports, script } = run(file, source);
  await exports.main(['agent', `-config=${configuration(folder, server.address().port)}`]);
  readFileSync(join(folder, 'out', 'ca-key.pem')); // or it was not the whole way
  writeFileSync(cacheOf(file, source), script.createCachedData());
} finally {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
}
