import { goDuration } from '../../../lib/duration.ts';
import { isRecord } from '../../../lib/records.ts';
import type { Fields } from '../../core/fields.ts';
import type { KeyMetadata, KvConfig, VersionMetadata } from './store.ts';

/** RFC 3339 in UTC, or empty for never. */
export const timeText = (ms: number): string => (ms === 0 ? '' : new Date(ms).toISOString());

export function versionFields(metadata: KeyMetadata, version: number): Fields {
  const { created, deleted, destroyed } = metadata.versions[version] ?? {
    created: 0,
    deleted: 0,
    destroyed: false,
  };
  return {
    created_time: timeText(created),
    custom_metadata: metadata.customMetadata,
    deletion_time: timeText(deleted),
    destroyed,
    version,
  };
}

export function metadataFields(metadata: KeyMetadata): Fields {
  const versions = Object.entries(metadata.versions).map(([version, { created, deleted, destroyed }]) => [
    version,
    { created_time: timeText(created), deletion_time: timeText(deleted), destroyed },
  ]);
  return {
    cas_required: metadata.casRequired,
    created_time: timeText(metadata.created),
    current_metadata_version: metadata.metadataVersion ?? 0,
    current_version: metadata.current,
    custom_metadata: metadata.customMetadata,
    delete_version_after: goDuration(metadata.deleteVersionAfter * 1000),
    max_versions: metadata.maxVersions,
    metadata_cas_required: metadata.metadataCasRequired ?? false,
    oldest_version: metadata.oldest,
    updated_time: timeText(metadata.updated),
    versions: Object.fromEntries(versions),
  };
}

export function configFields(config: KvConfig): Fields {
  return {
    cas_required: config.casRequired,
    delete_version_after: goDuration(config.deleteVersionAfter * 1000),
    max_versions: config.maxVersions,
    metadata_cas_required: config.metadataCasRequired ?? false,
  };
}

/** Whether there is something to read. */
export function isAlive(version: VersionMetadata | undefined, now: number): boolean {
  return version !== undefined && !version.destroyed && (version.deleted === 0 || version.deleted > now);
}

/** RFC 7396: null removes a key, objects are merged, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const merged = new Map(Object.entries(isRecord(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

/** The shape of a secret without its values. */
export function subkeys(value: unknown, depth: number, level = 1): unknown {
  if (!isRecord(value) || (depth > 0 && level > depth)) return null;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, subkeys(inner, depth, level + 1)]),
  );
}
