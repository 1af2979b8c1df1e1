import { describe, expect, test } from 'vitest';
import { TemplateBrain } from '../../brain.ts';
import { renderTemplate } from '../render.ts';
import { Args } from '../values.ts';
import { rareFunctions } from './rare-functions.ts';
import { sockaddrFunctions } from './sockaddr.ts';

async function rendered(contents: string): Promise<string> {
  const more = await rareFunctions(contents, () => 60_000);
  return renderTemplate({ contents, more, brain: new TemplateBrain(), env: {}, now: () => 0 }).toString();
}

describe('functions that few templates use', () => {
  test('are not loaded for a template that uses none', async () => {
    expect(await rareFunctions('{{ with secret "a" }}{{ .Data.b }}{{ end }}', () => 0)).toBeUndefined();
  });

  test.each([
    'bcrypt "x"',
    'htpasswd "a" "b"',
    'genPrivateKey "rsa"',
    'genCA "a" 1',
    'genSignedCert "a" nil nil 1 1',
  ])('sprig_%s is refused, because the file would change at each rendering', async (call) => {
    await expect(rendered(`{{ sprig_${call} }}`)).rejects.toMatchObject({
      code: 'template-execute',
      message: expect.stringMatching(/gives something else at each rendering; (use|hash)/),
    });
  });

  test.each(['spew_dump 1', 'spew_printf "a"'])(
    '%s is refused: it would print secrets to the log',
    async (call) => {
      await expect(rendered(`{{ ${call} }}`)).rejects.toMatchObject({
        message: expect.stringMatching(/would print secrets to the output of the agent; use spew_s/),
      });
    },
  );

  test('sprig_ago counts from the clock that it is given', async () => {
    expect(await rendered('{{ sprig_ago (sprig_int64 5) }}')).toBe('55s');
  });

  test('sprig_buildCustomCert wants a certificate and a key', async () => {
    await expect(rendered('{{ sprig_buildCustomCert "eA==" "eA==" }}')).rejects.toThrow(
      'unable to decode certificate',
    );
  });

  test('plugin gives what a program prints, and leaves its output out of the error', async () => {
    expect(await rendered('{{ plugin "printf" "%s-%s" "a" " b " }}')).toBe('a-b');
    await expect(rendered('{{ plugin "sh" "-c" "echo secret; exit 3" }}')).rejects.toMatchObject({
      message: expect.stringMatching(/exec "sh": exit status 3$/),
    });
    await expect(rendered('{{ plugin "no-such-program" }}')).rejects.toThrow('ENOENT');
  });

  test('sockaddr finds private and public addresses, and those of a device', () => {
    const { sockaddr } = sockaddrFunctions(() => [
      { device: 'lo', address: '127.0.0.1', family: 'IPv4' },
      { device: 'eth0', address: '10.1.2.3', family: 'IPv4' },
      { device: 'eth0', address: 'fd00::1', family: 'IPv6' },
      { device: 'eth1', address: '8.8.4.4', family: 'IPv4' },
    ]);
    const ask = (query: string) => sockaddr?.call(new Args([query]));
    expect(ask('GetPrivateIP')).toBe('10.1.2.3');
    expect(ask('GetPublicIPs')).toBe('8.8.4.4');
    expect(ask('GetInterfaceIP "lo"')).toBe('127.0.0.1');
    expect(ask('GetInterfaceIPs "eth0"')).toBe('10.1.2.3 fd00::1');
    expect(() => ask('GetAllInterfaces | include "rfc" "6890"')).toThrow('is not known; known: GetPrivateIP');
  });
});
