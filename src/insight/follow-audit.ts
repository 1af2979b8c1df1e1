import type { AuditMetrics } from './audit-metrics.ts';
import { parseAuditLine } from './audit-record.ts';
import { type Denial, DenialClassifier } from './denials.ts';
import { type FollowOptions, followLines } from './follow-file.ts';

/**
 * Follows a Vault audit log, counts into `metrics` and tells each denial, until the signal aborts (or, with `once`, the
 * end of the file).
 */
export async function followAudit(
  file: string,
  metrics: AuditMetrics,
  onDenial: (denial: Denial) => void,
  options: FollowOptions,
): Promise<void> {
  const classifier = new DenialClassifier();
  for await (const line of followLines(file, options)) {
    const record = parseAuditLine(line);
    if (record === undefined) {
      metrics.countUnreadable();
      continue;
    }
    const denial = classifier.classify(record);
    metrics.count(record, denial);
    if (denial !== undefined) onDenial(denial);
  }
}
