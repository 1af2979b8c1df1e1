import type { Clock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { Finding } from '../x509/finding.ts';
import { judgeBundle } from './bundle-lint.ts';
import { readBundleFolder } from './ca-folder.ts';
import type { SetSource } from './ca-keeper.ts';
import { signingSet } from './ca-signer.ts';

export interface JudgeOptions {
  /** Name constraints of the CA must permit it. */
  readonly trustDomain: string;
  readonly clock: Clock;
}

/** The plugged-in files of a folder, judged as one set. */
export function fileSource(folder: string, options: JudgeOptions): SetSource {
  return async () => {
    const { layout, bundle } = await readBundleFolder(folder);
    refuseFindings(judgeBundle(bundle, options.clock.now(), options));
    const kind = layout === 'istio' ? 'istiod file format' : 'kubernetes.io/tls secret type';
    return { kind, set: signingSet(bundle) };
  };
}

/** @throws MeshrootError the first finding that is more than a warning */
export function refuseFindings(findings: readonly Finding[]): void {
  const finding = findings.find(({ severity }) => severity !== 'warning');
  if (finding === undefined) return;
  throw new MeshrootError(finding.code, finding.message, {
    exit: 1,
    ...(finding.hint === undefined ? {} : { hint: finding.hint }),
  });
}
