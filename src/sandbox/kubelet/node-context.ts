import type { KubeApi } from '../../kube/api.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { BackoffOptions } from './backoff.ts';
import type { ValueSource } from './container-env.ts';
import type { ImageProgram } from './images.ts';
import type { Reaper } from './reaper.ts';

/** What all pods of one node share. */
export interface NodeContext {
  readonly nodeName: string;
  readonly kube: KubeApi;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly reaper: Reaper;
  readonly values: ValueSource;
  /** Folder of everything that this kubelet writes; without characters that mean something to a shell. */
  readonly root: string;
  readonly images: readonly ImageProgram[];
  /** Folder with the commands of an image. */
  readonly toolDir: (program: ImageProgram) => string;
  /** Host paths that are handed to containers as they are. */
  readonly hostPaths: readonly string[];
  readonly parentEnv: Readonly<Record<string, string | undefined>>;
  readonly backoff: BackoffOptions;
  /** How often ConfigMaps and Secrets are looked at again, ms. */
  readonly refreshEvery: number;
  readonly apiServer: {
    readonly host: string;
    readonly port: string;
    readonly authority: string | undefined;
  };
}
