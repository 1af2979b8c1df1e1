import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TemplateBrain } from '../../src/agent/brain.ts';
import { rareFunctions } from '../../src/agent/template/functions/rare-functions.ts';
import { renderTemplate } from '../../src/agent/template/render.ts';
import { secretValue } from '../../src/agent/template/secret-value.ts';
import { fromUtf8 } from '../../src/agent/template/values.ts';
import { codeOf, messageOf } from '../../src/lib/errors.ts';

interface Golden {
  readonly group: string;
  readonly template: string;
  readonly errorOnMissingKey?: boolean;
  readonly left?: string;
  readonly right?: string;
  readonly denylist?: readonly string[];
  readonly output?: string;
  readonly base64?: string;
  readonly error?: string;
}

const here = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const casesText = here('cases.json');
const golden = JSON.parse(here('templates.golden.json')) as Golden[];
const cases = JSON.parse(casesText) as { lists: Record<string, string[]>; env: string[] };
const env = Object.fromEntries(cases.env.map((e) => e.split(/=(.*)/s).slice(0, 2) as [string, string]));

/** A brain that knows the secrets of the cases, from their raw text so that number literals arrive as from a Vault. */
function knowing(): TemplateBrain {
  const brain = new TemplateBrain();
  for (const path of ['kv/data', 'kv/v2', 'kv/empty']) {
    const start = casesText.indexOf('{', casesText.indexOf(`"${path}"`));
    let depth = 0;
    let end = start;
    do {
      if (casesText[end] === '{') depth++;
      if (casesText[end] === '}') depth--;
      end++;
    } while (depth > 0);
    const text = `{"lease_duration":2764800,"data":${casesText.slice(start, end)}}`;
    brain.remember({ kind: 'secret', path }, { kind: 'secret', text, secret: secretValue(fromUtf8(text)) });
  }
  for (const [path, keys] of Object.entries(cases.lists))
    brain.remember({ kind: 'list', path }, { kind: 'list', keys });
  return brain;
}

const brain = knowing();

/** Where ours deliberately or knowingly differs, with the reason. */
const different: Readonly<Record<string, string>> = {
  '{{parseYAML "a: [" }}': 'the YAML library has its own words for a syntax error',
  '{{ sprig_decryptAES "pw" "AAAA" }}': 'upstream panics',
  '{{ sockaddr "GetNoSuchThing" }}': 'names the queries that there are',
};

async function run(c: Golden): Promise<Pick<Golden, 'output' | 'error' | 'base64'>> {
  const more = await rareFunctions(c.template, () => 0);
  brain.begin();
  try {
    const bytes = renderTemplate({
      contents: c.template,
      leftDelimiter: c.left ?? '',
      rightDelimiter: c.right ?? '',
      missingKeyIsError: c.errorOnMissingKey === true,
      denylist: c.denylist ?? [],
      brain,
      more,
      env,
      now: () => 0,
    });
    const text = bytes.toString('utf8');
    return Buffer.from(text, 'utf8').equals(bytes) ? { output: text } : { base64: bytes.toString('base64') };
  } catch (error) {
    const phase = codeOf(error) === 'template-parse' ? 'parse' : 'execute';
    return { error: brain.redact(`${phase}: ${messageOf(error)}`) };
  }
}

describe('templates give what consul-template gives', () => {
  for (const [i, c] of golden.entries()) {
    const reason = different[c.template];
    const name = `${c.group} ${i}: ${JSON.stringify(c.template).slice(0, 90)}`;
    test.skipIf(reason !== undefined)(name, async () => {
      const expected =
        c.error !== undefined
          ? { error: c.error }
          : c.base64 !== undefined
            ? { base64: c.base64 }
            : { output: c.output ?? '' };
      expect(await run(c)).toEqual(expected);
    });
  }
});
