import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newRequest } from '../../../src/rotation/issue-bundle.ts';
import { readBundle, writeBundle } from '../../../src/rotation/kv-bundle.ts';
import { parseCertificate } from '../../../src/x509/certificate.ts';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';
import { type Run, startMeshroot } from '../../support/meshroot.ts';

describe('meshroot serve', () => {
  let world: MeshWorld;
  let file: string;
  let serve: Run;
  let address: string;
  const bundlePath = 'kubernetes-eu-secrets/istiod-service/certs';
  const start = (...more: string[]) =>
    startMeshroot(['serve', '-f', file, '--listen', '127.0.0.1:0', ...more], {
      cwd: world.dir,
      env: world.env,
    });
  const begun = async (run: Run): Promise<string> => {
    const line = await run.until(/serving: listen="port \d+"/);
    return `http://127.0.0.1:${/\d+/.exec(line)?.[0]}`;
  };
  const metrics = async (): Promise<string> => (await fetch(`${address}/metrics`)).text();
  /** What the program prints from now on. */
  const next = (pattern: RegExp): Promise<string> => {
    const seen = serve.output.stderr.length;
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(serve.output.stderr.slice(seen));
        if (found === null) return;
        serve.child.stderr?.off('data', look);
        resolve(found[0]);
      };
      serve.child.stderr?.on('data', look);
      void serve.ended.then(() => reject(new Error(`ended: ${serve.output.stderr}`)));
    });
  };
  const hangUp = (pattern: RegExp): Promise<string> => {
    const found = next(pattern);
    serve.child.kill('SIGHUP');
    return found;
  };
  const serialOf = async (): Promise<string> => {
    const bundle = await readBundle(world.vault, bundlePath);
    return parseCertificate(bundle?.caCert ?? '').serial;
  };

  beforeAll(async () => {
    world = await startMeshWorld();
    file = world.meshFile('mesh.yaml', { top: 'root: { keyType: ec-p256 }\n' });
    serve = start();
    address = await begun(serve);
  });
  afterAll(async () => {
    serve?.child.kill('SIGTERM');
    await serve?.ended;
    await world?.stop();
  });

  test('brings a mesh from nothing to what mesh.yaml wants, without a question', async () => {
    await serve.until(/brought back: group=eu [^\n]*/);
    await serve.until(/brought back: group=us [^\n]*/);
    expect(await world.run('plan', '-f', file)).toMatchObject({ code: 0 });
    expect((await fetch(`${address}/readyz`)).status).toBe(200);
    expect(await metrics()).toMatch(/meshroot_controller_last_success_timestamp_seconds\{group="eu"\} \d+/);
  });

  test('brings back what somebody changed by hand', async () => {
    const policy = 'sys/policies/acl/istiod-certs-eu';
    const before = (await world.vault.read(policy))?.data?.policy;
    await world.vault.write(policy, { policy: `${before}\n path "secret/*" { capabilities = ["read"] }` });
    expect(await hangUp(/brought back: .*/)).toContain('group=eu resources="policy istiod-certs-eu"');
    expect((await world.vault.read(policy))?.data?.policy).toBe(before);
  });

  test('renews an intermediate that is due', async () => {
    const { key, csr } = await newRequest({ keyType: 'ec-p256', name: 'eu' });
    const signed = await world.vault.write('meshroot-root/root/sign-intermediate', {
      csr,
      use_csr_values: true,
      max_path_length: 0,
      ttl: '720h',
      not_before_duration: '1440h',
    });
    const caCert = `${String(signed?.data?.certificate).trim()}\n`;
    const rootCert = `${String(signed?.data?.issuing_ca).trim()}\n`;
    const aged = { caKey: key, caCert, certChain: caCert + rootCert, rootCert };
    await writeBundle(world.vault, bundlePath, aged);
    const serial = await serialOf();
    expect(await hangUp(/renewing the intermediate: .*/)).toContain(`group=eu serial=${serial}`);
    const renewed = async () => /rotations_total\{group="eu",outcome="ok"\} 1/.test(await metrics());
    await expect.poll(renewed, { timeout: 20_000 }).toBe(true);
    expect(await serialOf()).not.toBe(serial);
    expect(await world.run('plan', '-f', file)).toMatchObject({ code: 0 });
  });

  test('keeps the last good mesh.yaml while the one on disk is wrong, and says so', async () => {
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, `${good}\nclusterz: []\n`);
    expect(await hangUp(/mesh.yaml cannot be used.*/)).toContain('the last good one stays in force');
    expect(await metrics()).toContain('meshroot_controller_mesh_file_valid 0');
    expect((await fetch(`${address}/readyz`)).status).toBe(200);
    const valid = async () => (await metrics()).includes('meshroot_controller_mesh_file_valid 1');
    writeFileSync(file, good);
    serve.child.kill('SIGHUP');
    await expect.poll(valid, { timeout: 20_000 }).toBe(true);
  });

  test('does not take over what others made: told as refused, nothing else of that cluster is written', async () => {
    const { vault } = world;
    await vault.delete('sys/policies/acl/istiod-certs-us');
    const foreign = 'path "others/*" { capabilities = ["read"] }';
    await vault.write('sys/policies/acl/istiod-certs-us', { policy: foreign });
    expect(await hangUp(/refused: group=us .*/)).toContain('code=not-ours');
    expect((await vault.read('sys/policies/acl/istiod-certs-us'))?.data?.policy).toBe(foreign);
    expect(await metrics()).toMatch(/reconciles_total\{group="us",outcome="refused"\} [1-9]/);
  });

  test('ends cleanly on SIGTERM, and with --observe-only writes nothing', async () => {
    serve.child.kill('SIGTERM');
    expect(await serve.ended).toBe(0);
    await world.vault.delete('sys/policies/acl/istiod-certs-eu');
    serve = start('--observe-only');
    address = await begun(serve);
    await serve.until(/differs from mesh.yaml: group=eu resources="policy istiod-certs-eu"/);
    expect((await world.vault.read('sys/policies/acl/istiod-certs-eu'))?.data).toBeUndefined();
  });

  test('of two replicas one works; the other takes over when it leaves', async () => {
    serve.child.kill('SIGTERM');
    await serve.ended;
    const env = { ...world.env, KUBECONFIG: `${world.dir}/us.kubeconfig` };
    const replica = () =>
      startMeshroot(
        ['serve', '-f', file, '--listen', '127.0.0.1:0', '--leader-elect', '--lease-namespace', 'default'],
        {
          cwd: world.dir,
          env,
        },
      );
    const first = replica();
    await first.until(/became leader of meshroot-serve/);
    const second = replica();
    const standby = await begun(second);
    expect((await fetch(`${standby}/readyz`)).status).toBe(200);
    expect(second.output.stderr).not.toContain('became leader');
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    await second.until(/became leader of meshroot-serve/);
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  });

  test('a wrong start is told at once', async () => {
    const wrong = await world.run('serve', '-f', 'absent.yaml');
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('absent.yaml') });
    const interval = await world.run('serve', '-f', file, '--interval', 'soon');
    expect(interval).toMatchObject({ code: 2, stderr: expect.stringContaining('soon') });
  });
});
