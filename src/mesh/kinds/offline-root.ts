import { days, humanDuration } from '../../lib/duration.ts';
import { MeshrootError } from '../../lib/errors.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { isoDay } from '../../x509/validity-rule.ts';
import { offlineRoot } from '../offline-root.ts';
import { type Decision, keep, type Resource } from '../resource.ts';

/** A root whose key never comes near a server: all there is to see here is its certificate, in a file. */
export function offlineRootResource({ cert }: { readonly cert: string }): Resource<Certificate | undefined> {
  return {
    group: 'mesh',
    label: `root ${cert}`,
    summary: 'offline, signs on another machine',
    observe: () => offlineRoot(cert),
    decide: (root, { now }) => decide(cert, root, now),
    write: async () => {},
  };
}

function decide(path: string, root: Certificate | undefined, now: number): Decision {
  if (root === undefined) {
    return refuse('no-root', `${path} is not there`, [
      'on the machine that keeps the root: meshroot pki root --encrypt; then copy root-cert.pem (not the key) here',
    ]);
  }
  if (!root.isCa) return refuse('bad-root', `${path} is not the certificate of a CA`, []);
  const left = root.notAfter - now;
  if (left <= 0) {
    return refuse('root-expired', `the root in ${path} ended ${isoDay(root.notAfter)}`, [
      'a new root changes all trust and is never made by apply: docs/replace-a-root.md',
    ]);
  }
  if (left >= days(365)) return keep;
  return {
    kind: 'keep',
    warning: `root expires ${isoDay(root.notAfter)} (${humanDuration(left)}): plan its replacement (docs/replace-a-root.md)`,
  };
}

const refuse = (code: string, message: string, [hint]: string[]): Decision => ({
  kind: 'refuse',
  error: new MeshrootError(code, message, { exit: 1, ...(hint === undefined ? {} : { hint }) }),
});
