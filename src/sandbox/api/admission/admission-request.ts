import type { ApiObject, Fields } from '../fields.ts';
import type { Kind } from '../kinds.ts';
import type { UserInfo } from '../user.ts';

/** One change on its way into the store. */
export interface AdmissionRequest {
  readonly kind: Kind;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  /** What is to be stored; undefined for DELETE. */
  readonly object: ApiObject | undefined;
  readonly oldObject: ApiObject | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions. */
  readonly options: Fields;
}
