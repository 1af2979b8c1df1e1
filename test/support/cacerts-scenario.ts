import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandsOf, shellIn } from './in-shell.ts';
import { type MeshWorld, type RealParts, startMeshWorld } from './mesh-world.ts';
import { kubeconfigOf, meshWithCacerts } from './running-mesh.ts';

const page = 'docs/move-a-running-mesh.md';

/** Two clusters with their CA in Secret cacerts, moved by the commands of the page; on our parts or the real ones. */
export function cacertsScenario(title: string, real?: RealParts): void {
  describe(title, () => {
    let world: MeshWorld;
    let shell: ReturnType<typeof shellIn>;
    let output = '';
    const run = async (command: string) => {
      const result = await shell(command);
      output += result.stdout + result.stderr;
      return result;
    };
    const made = (cluster: string, file: string) =>
      readFileSync(join(world.dir, 'made', cluster, file), 'utf8');
    const stored = async (cluster: string) =>
      (await world.vault.read(`kubernetes-${cluster}-secrets/istiod-service/certs`))?.data;

    beforeAll(async () => {
      world = await startMeshWorld(real);
      await meshWithCacerts(world);
      const env = { ...world.env, VAULT_ADDR: world.vaultAddress, KUBECONFIG: kubeconfigOf(world) };
      shell = shellIn(world.dir, env);
    });
    afterAll(() => world?.stop());

    test('every command of the page does what it should', async () => {
      const [init, plan, apply, again] = commandsOf(page, 'cacerts') as [string, string, string, string];
      const found = await run(init);
      expect([found.code, found.stderr]).toEqual([0, 'next   meshroot plan -f mesh.yaml\n']);
      expect(found.stdout).toMatch(
        /found +Secret istio-system\/cacerts, plugged-in CA: .*L=eu, ec-p256, to .* of 365d/,
      );
      expect(found.stdout).toMatch(/found +trust domain shop\.example/);
      expect(readFileSync(join(world.dir, 'root-cert.pem'), 'utf8')).toBe(made('eu', 'root-cert.pem'));
      expect(readFileSync(join(world.dir, 'mesh.yaml'), 'utf8')).toContain(
        'intermediate: { keyType: ec-p256, ttl: 365d, import: { secret: istio-system/cacerts } }',
      );
      expect(await run(plan)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/imported from Secret istio-system\/cacerts: .*trust does not change/),
      });
      const applied = await run(apply);
      expect([applied.code, applied.stderr]).toEqual([0, expect.anything()]);
      expect(applied.stdout).toMatch(/proof us .*read its bundle/);
      expect(await run(again)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(
          /! Secret istio-system\/cacerts of eu still holds the CA's key.*delete secret cacerts[\s\S]*nothing to change\. 2 warnings/,
        ),
      });
    });

    test.each(['eu', 'us'])('the bundle of %s in Vault is the Secret, byte for byte', async (name) => {
      expect(await stored(name)).toEqual({
        ca_key: made(name, 'ca-key.pem'),
        ca_cert: made(name, 'ca-cert.pem'),
        cert_chain: made(name, 'cert-chain.pem'),
        root_cert: made(name, 'root-cert.pem'),
      });
    });

    test('a later apply writes nothing, and never over the bundle', async () => {
      const before = await stored('eu');
      expect(await run('meshroot apply --yes')).toMatchObject({
        stdout: expect.stringContaining('0 written'),
      });
      expect(await stored('eu')).toEqual(before);
    });

    test('scan tells of the key in the Secret until it is removed; then nothing is left to say', async () => {
      const scan = 'meshroot scan --context eu || test $? = 1';
      expect((await run(scan)).stdout).toContain('ca-key-in-secret');
      for (const command of commandsOf(page, 'cleanup'))
        expect(await run(command)).toMatchObject({ code: 0 });
      expect(await run('meshroot plan')).toMatchObject({
        stdout: 'nothing to change. nothing was written\n',
      });
      expect((await run(scan)).stdout).not.toContain('ca-key-in-secret');
    });

    test('destroy leaves the imported CA where it is', async () => {
      expect(await run('meshroot destroy --yes')).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('it holds a CA that was imported'),
      });
      expect((await stored('eu'))?.ca_key).toBe(made('eu', 'ca-key.pem'));
    });

    test('no key went into any output, file or log', () => {
      const keys = ['eu', 'us'].map((name) => made(name, 'ca-key.pem').split('\n')[1] ?? '');
      const files = readdirSync(world.dir, { recursive: true, encoding: 'utf8' })
        .filter((file) => !/^(made|etcd)\//.test(file) && statSync(join(world.dir, file)).isFile())
        .filter((file) => !file.startsWith('.bin/'));
      expect(files.some((file) => file.endsWith('audit.log'))).toBe(true);
      for (const key of keys) {
        expect(key.length).toBeGreaterThan(40);
        expect(output).not.toContain(key);
        expect(files.filter((file) => readFileSync(join(world.dir, file)).includes(key))).toEqual([]);
      }
    });
  });
}
