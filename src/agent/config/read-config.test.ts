import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MeshrootError } from '../../lib/errors.ts';
import type { AgentConfig } from './config.ts';
import { readConfig } from './read-config.ts';

const hcl = `
pid_file = "/home/vault/.pid"
auto_auth {
  method "kubernetes" {
    mount_path = "auth/kubernetes-c1/"
    min_backoff = "2s"
    config = { role = "istiod" }
  }
  sink "file" { config = { path = "/t", mode = 0600 } }
}
vault { address = "https://vault:8200"  tls_skip_verify = "true"  retry { num_retries = -1 } }
template {
  destination = "/s/a"
  contents = <<-EOT
    {{ with secret "kv/x" }}{{ .Data.a }}{{ end }}
  EOT
  perms = "0600"
  error_on_missing_key = true
}
template_config { static_secret_render_interval = "1s" }
cache { }
`;

const login = 'auto_auth { method "kubernetes" { config = { role = "r" } } }';

describe('an agent configuration', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'config-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const file = async (text: string, name = 'agent.hcl'): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const read = async (text: string, env: Record<string, string> = {}): Promise<AgentConfig> =>
    readConfig([await file(text)], env);

  test('in HCL has labels, heredocs and durations', async () => {
    expect(await read(hcl)).toMatchObject({
      method: {
        type: 'kubernetes',
        mountPath: 'auth/kubernetes-c1',
        minBackoffMs: 2000,
        config: { role: 'istiod' },
      },
      vault: { address: 'https://vault:8200', skipVerify: true, retries: 0 },
      templates: [{ destination: '/s/a', perms: 0o600, errorOnMissingKey: true, leftDelimiter: '{{' }],
      templateConfig: { staticSecretRenderIntervalMs: 1000, exitOnRetryFailure: false },
      warnings: [],
      proxy: { useToken: 'no' },
      pidFile: '/home/vault/.pid',
    });
  });

  test('lets the environment win over the file, and reads VAULT_SKIP_VERIFY=false as false', async () => {
    const { vault } = await read(hcl, { VAULT_ADDR: 'http://other:1', VAULT_SKIP_VERIFY: 'false' });
    expect(vault).toMatchObject({ address: 'http://other:1', skipVerify: false });
  });

  test('merges files and folders: later blocks replace, templates add up', async () => {
    const first = await file(hcl);
    await mkdir(join(folder, 'more'));
    await file(
      '{"template":[{"destination":"/s/b","contents":"b"}],"vault":{"address":"http://b"}}',
      'more/b.json',
    );
    const config = await readConfig([first, join(folder, 'more')], {});
    expect(config.templates.map(({ destination }) => destination)).toEqual(['/s/a', '/s/b']);
    expect(config.vault.address).toBe('http://b');
  });

  test.each([
    [
      'template {\n  destination = "/a"\n  contens = "x"\n}',
      ':3:3: "contens" is not a key of template',
      'did you mean: contents',
    ],
    ['template { contents = "x" }', ':1:12: a template needs a "destination"', undefined],
    [
      'template { destination = "/a" contents = "x" source = "y" }',
      'either "source" or "contents"',
      undefined,
    ],
    [
      'auto_auth { method "kubernetes" { min_backoff = "soon" } }',
      'is not a duration: "soon"',
      'write for example 5m, 90s or 1h30m',
    ],
    ['exit_after_auth = "maybe"', ':1:1: "exit_after_auth" must be true or false', undefined],
    [
      'disable_keep_alives = ["auto-auth", "talking"]',
      ':1:1: unknown disable_keep_alives value: talking',
      'known: auto-auth, caching, proxying, templating',
    ],
    [
      'telemetry {\n  prometheus_retention_time = "long"\n}',
      ':2:3: "telemetry.prometheus_retention_time" is not a duration',
      undefined,
    ],
    ['exec { command = ["x"] }', 'no auto_auth, cache, or listener block found in config', undefined],
    ['auto_auth {', ':1:', undefined],
    [
      'auto_atuh { }',
      'no auto_auth, cache, or listener block found in config',
      'is "auto_atuh" meant to be auto_auth?',
    ],
    [
      'template { destination = "/x" contents = "y" perms = "abc" }',
      '"template.perms" must be a whole number',
      'the mode in octal digits, for example "0640"',
    ],
    ['pid_file = "/x"', 'error validating configuration: no auto_auth, cache, or listener block', undefined],
    ['vault { }\nvault { address = "https://b" }', ':2:1: at most one "vault" block is allowed', undefined],
    [
      'listener "tcp" { tls_disable = true }\ntemplate { destination = "/x" contents = "y" }',
      'templates need an auto_auth block',
      undefined,
    ],
    [
      'listener "tcp" { tls_disable = true }\napi_proxy { use_auto_auth_token = true }',
      'use_auto_auth_token is true but auto_auth not configured',
      undefined,
    ],
    [
      `${login}\ncache { use_auto_auth_token = "sometimes" }`,
      ':2:9: "cache.use_auto_auth_token" must be true or false',
      undefined,
    ],
    [
      `${login}\nexec { command = ["x"] }\nenv_template "A" { contents = "x" }\nenv_template "A" { contents = "y" }`,
      'env_template: duplicate environment variable name: "A"',
      undefined,
    ],
    [
      `${login}\nexec { command = ["x"] }\nenv_template "A" { contents = "x" perms = "0600" }`,
      '"perms" is not a key of env_template',
      undefined,
    ],
  ])('that is wrong is refused with its place: %s', async (text, message, hint) => {
    const error = await read(text).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'bad-agent-config',
      exit: 1,
      message: expect.stringContaining(message),
    });
    if (hint !== undefined) expect(error).toMatchObject({ hint });
  });

  test('lets the environment, where flags come by, say where the log goes', async () => {
    const text = `${login}\nlog_file = "/a" log_rotate_bytes = 5 log_rotate_max_files = 2`;
    const env = { VAULT_LOG_FILE: '/b', VAULT_LOG_ROTATE_MAX_FILES: '3', VAULT_LOG_ROTATE_DURATION: '1h' };
    const { logFile } = await read(`${text}\ntemplate { destination = "/x" contents = "y" }`, env);
    expect(logFile).toEqual({ path: '/b', rotateBytes: 5, rotateMs: 3_600_000, maxFiles: 3 });
  });

  test.each([
    ['perms = 0400', 0o400],
    ['perms = "0400"', 0o400],
    ['perms = "400"', 0o400],
    ['perms = 256', 0o400],
    ['', undefined],
  ])('reads modes as HCL and consul-template do: %s', async (perms, mode) => {
    const sink = perms.replace('perms', 'mode');
    const { templates, sinks } = await read(
      `auto_auth { method "kubernetes" { config = { role = "r" } } sink "file" { config = { path = "/t" ${sink} } } }
template { destination = "/x" contents = "y" ${perms} }`,
    );
    expect([templates[0]?.perms, sinks[0]?.mode]).toEqual([mode, mode ?? 0o640]);
  });

  test('denies functions named in one text or in a list', async () => {
    const template = 'destination = "/x" contents = "y" function_denylist = "plugin, env"';
    const { templates } = await read(`${login}\ntemplate { ${template} function_blacklist = ["key"] }`);
    expect(templates[0]?.denylist).toEqual(['plugin', 'env', 'key']);
  });

  test('has the command of a template in an exec block, which can be off, with an environment of its own', async () => {
    const block = (more: string): string =>
      `${login}\ntemplate { destination = "/x" contents = "y" exec { command = ["a", "b"] ${more} } }`;
    expect(
      (await read(block('timeout = "3s" env { custom = ["A=b"] denylist = ["*_TOKEN"] }'))).templates,
    ).toMatchObject([
      {
        command: ['a', 'b'],
        commandTimeoutMs: 3000,
        commandEnvironment: { custom: ['A=b'], denylist: ['*_TOKEN'] },
      },
    ]);
    expect((await read(block('enabled = false'))).templates).toMatchObject([{ command: undefined }]);
    await expect(read(block('timout = "3s"'))).rejects.toMatchObject({ hint: 'did you mean: timeout' });
  });

  test('may serve others without a login of its own', async () => {
    const config = await read('listener "tcp" { address = "127.0.0.1:1" tls_disable = true }');
    expect(config).toMatchObject({ method: undefined, listeners: [{ address: '127.0.0.1:1' }] });
  });

  test('in JSON names variables by the keys of one object, and has a cache beside them', async () => {
    const text = {
      auto_auth: { method: { kubernetes: { config: { role: 'r' } } } },
      env_template: { A: { contents: 'a', error_fatal: false }, B: [{ contents: 'b' }] },
      exec: { command: ['x y'] },
      cache: {},
    };
    const { templates, exec } = await read(JSON.stringify(text));
    expect(templates).toMatchObject([{ envName: 'A', errorFatal: false }, { envName: 'B' }]);
    expect(exec?.command).toEqual(['x y']);
  });

  test('that does not exist is named', async () => {
    await expect(readConfig(['/nonexistent.hcl'], {})).rejects.toThrow(
      'error loading configuration from /nonexistent.hcl: no such file or directory',
    );
  });

  test('of any text is read or refused, never a crash', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
        const thrown = await read(text).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (thrown !== undefined) expect(thrown).toBeInstanceOf(MeshrootError);
      }),
      { numRuns: 150 },
    );
  });
});
