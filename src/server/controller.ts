import { randomInt } from 'node:crypto';
import { VaultError } from '../client/vault-error.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { WorkQueue } from '../lib/work-queue.ts';
import { groupsOf } from '../mesh/plan.ts';
import { probeKubernetes } from '../mesh/probe-kubernetes.ts';
import { type Outcome, reconcile } from '../mesh/reconcile.ts';
import { renew, seeRenewal } from '../mesh/renewal.ts';
import type { Reach, Resource } from '../mesh/resource.ts';
import type { Mesh } from '../mesh/schema.ts';
import { ControllerMetrics } from './controller-metrics.ts';
import { SharedApplyLock } from './shared-apply-lock.ts';

export interface ControllerOptions {
  /** Reads mesh.yaml; called every `reload`. */
  readonly load: () => Promise<Mesh>;
  readonly resourcesOf: (mesh: Mesh) => Resource[];
  /** Logs in anew. */
  readonly reachOf: (mesh: Mesh) => Promise<Reach>;
  /** Decides the pace: `clock` of the reach decides certificates. */
  readonly clock: Reach['clock'];
  /** How often each group is looked at when all is well, and mesh.yaml read; milliseconds. */
  readonly interval: number;
  readonly reload: number;
  readonly concurrency: number;
  /** False: tells what differs and what is due, writes nothing. */
  readonly write: boolean;
  readonly log: Logger;
}

interface Desired {
  readonly text: string;
  readonly mesh: Mesh;
  readonly groups: ReadonlyMap<string, readonly Resource[]>;
}

/** The key under which mesh.yaml itself is read again; no cluster can be called so. */
const fileKey = '(mesh.yaml)';
const meshGroup = 'mesh';

/**
 * Keeps the world as mesh.yaml wants it: every group (what all clusters share, and each cluster) is looked at in turn,
 * brought back when it drifted, and its intermediate renewed when that is due, one cluster at a time. A failure concerns
 * its own group only and is tried again with growing pauses.
 */
export class Controller {
  readonly metrics: ControllerMetrics;
  readonly #options: ControllerOptions;
  readonly #queue: WorkQueue;
  readonly #lock: SharedApplyLock;
  #desired: Desired | undefined;
  /** Whether what all clusters share has been looked at under this mesh.yaml. */
  #begun = false;
  #reach: Promise<Reach> | undefined;
  #signal: AbortSignal = AbortSignal.abort();
  /** Ends when the renewal that was asked for last has ended. */
  #renewals: Promise<unknown> = Promise.resolve();
  /** Ends when Vault has answered whether it reaches the API server that was asked for last. */
  #probes: Promise<unknown> = Promise.resolve();

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#lock = new SharedApplyLock(options.clock);
    this.#queue = new WorkQueue({
      clock: options.clock,
      random: () => randomInt(1000) / 1000,
      concurrency: options.concurrency,
      baseDelay: 1000,
      maxDelay: 300_000,
      work: (key) => (key === fileKey ? this.#reload() : this.#group(key)),
      onFailure: (key, error, retryIn) => this.#failed(key, error, retryIn),
    });
    this.metrics = new ControllerMetrics(() => this.#queue.depth);
  }

  /** Whether a mesh.yaml is in force. */
  get ready(): boolean {
    return this.#desired !== undefined;
  }

  /** Looks at everything at once, mesh.yaml first. */
  wake(): void {
    const groups = this.#begun ? (this.#desired?.groups.keys() ?? []) : [];
    for (const key of [fileKey, ...groups]) this.#queue.add(key);
  }

  /** Works until `signal` is aborted; what is being written then is brought to its end. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.metrics.leader.set(1);
    this.wake();
    await this.#queue.run(signal);
    this.metrics.leader.set(0);
    (await this.#reach?.catch(() => undefined))?.vault.close();
    this.#reach = undefined;
  }

  async #reload(): Promise<number> {
    try {
      const mesh = await this.#options.load();
      this.metrics.meshFileValid.set(1);
      const text = JSON.stringify(mesh);
      if (text !== this.#desired?.text) await this.#take({ text, mesh, groups: this.#groupsOf(mesh) });
    } catch (error) {
      this.metrics.meshFileValid.set(0);
      if (this.#desired === undefined) throw error;
      this.#options.log.error('mesh.yaml cannot be used, the last good one stays in force', told(error));
    }
    return this.#options.reload;
  }

  #groupsOf(mesh: Mesh): ReadonlyMap<string, readonly Resource[]> {
    return groupsOf(this.#options.resourcesOf(mesh));
  }

  async #take(next: Desired): Promise<void> {
    const gone = [...(this.#desired?.groups.keys() ?? [])].filter((key) => !next.groups.has(key));
    for (const key of gone) {
      this.#queue.forget(key);
      this.metrics.forget(key);
    }
    if (gone.length > 0)
      this.#options.log.warn('no longer in mesh.yaml; what was made for them stays until meshroot destroy', {
        clusters: gone.join(','),
      });
    this.#reach = undefined;
    this.#desired = next;
    this.#options.log.info('mesh.yaml in force', { clusters: next.mesh.clusters.length });
    this.#begun = false;
    this.#queue.add(meshGroup);
  }

  async #group(key: string): Promise<number | undefined> {
    const { mesh, groups } = this.#desired ?? {};
    const resources = groups?.get(key);
    if (mesh === undefined || resources === undefined) return undefined;
    const { interval } = this.#options;
    const reach = await this.#reachNow(mesh);
    try {
      const outcome = await this.#bringBack(mesh, key, resources, reach);
      this.#tell(key, outcome);
      if (key === meshGroup && !this.#begun) this.#begin();
      if (outcome.refused.length + outcome.unseen.length === 0) await this.#renewIfDue(mesh, key, reach);
    } finally {
      reach.release?.(key); // until its next turn: a thousand clusters are not kept open, and read their kubeconfig anew
    }
    return Math.round(interval * (0.9 + randomInt(200) / 1000)); // so that 1,000 clusters do not stay in step
  }

  /** Looks first: the lock is taken only when there is something to write. */
  async #bringBack(mesh: Mesh, key: string, resources: readonly Resource[], reach: Reach): Promise<Outcome> {
    const seen = await reconcile(resources, reach, { write: false });
    if (!this.#options.write || seen.differing.length === 0) return seen;
    const blocked = seen.refused.length + seen.unseen.length > 0;
    return this.#lock.hold(reach.vault, async () => {
      if (!blocked && asksOut(resources, seen)) await this.#proveReach(mesh, key, reach);
      return reconcile(resources, reach, { write: true });
    });
  }

  /** One at a time, as the place where Vault is asked is one. @throws MeshrootError `kubernetes-not-reached` */
  async #proveReach({ clusters }: Mesh, name: string, reach: Reach): Promise<void> {
    const asked = clusters.filter((cluster) => cluster.name === name && cluster.probeKubernetes);
    const mine = this.#probes.then(() => probeKubernetes(asked, reach));
    this.#probes = mine.catch(() => {});
    const unproven = await mine;
    if (unproven !== undefined)
      this.#options.log.warn('that vault reaches the API server is not proven', {
        group: name,
        why: unproven,
      });
  }

  /** Clusters need what all of them share. */
  #begin(): void {
    this.#begun = true;
    for (const key of this.#desired?.groups.keys() ?? []) if (key !== meshGroup) this.#queue.add(key);
  }

  #tell(group: string, { differing, refused, unseen }: Outcome): void {
    const { log, write, clock } = this.#options;
    if (differing.length > 0)
      log.info(write ? 'brought back' : 'differs from mesh.yaml', { group, resources: differing.join(', ') });
    for (const { label, error } of refused) log.error('refused', { group, resource: label, ...told(error) });
    for (const why of unseen) log.warn('cannot be looked at', { group, what: why });
    const outcome = refused.length > 0 ? 'refused' : unseen.length > 0 ? 'unseen' : 'ok';
    this.metrics.reconciles.inc({ group, outcome });
    this.metrics.differences.set({ group }, differing.length);
    if (outcome === 'ok' && (write || differing.length === 0))
      this.metrics.lastSuccess.set({ group }, clock.now() / 1000);
  }

  async #renewIfDue(mesh: Mesh, name: string, reach: Reach): Promise<void> {
    const cluster = mesh.clusters.find((c) => c.name === name);
    const seen = cluster && (await seeRenewal(mesh, cluster, reach));
    if (cluster === undefined || seen === undefined) return;
    const { current, renewal } = seen;
    this.metrics.notAfter.set({ group: name }, current.notAfter / 1000);
    if (renewal.kind === 'none') return;
    const { log, write } = this.#options;
    const fields = {
      group: name,
      serial: current.serial,
      notAfter: new Date(current.notAfter).toISOString(),
    };
    if (renewal.kind === 'sign-offline' || !write) {
      const next = renewal.kind === 'sign-offline' ? 'sign it offline' : 'rotate it';
      return log.warn(`the intermediate is due: ${next}: meshroot rotate intermediate ${name}`, fields);
    }
    log.info('renewing the intermediate', fields);
    await this.#oneAtATime(async () => {
      const say = (text: string): void => log.info('renewal', { group: name, phase: text });
      await renew(mesh, cluster, reach, { kind: renewal.kind, signal: this.#signal, say });
    }).then(
      () => this.metrics.rotations.inc({ group: name, outcome: 'ok' }),
      (error: unknown) => {
        this.metrics.rotations.inc({ group: name, outcome: 'failed' });
        throw error;
      },
    );
  }

  /** A fault that every renewal meets (a wrong root, a broken agent image) then stops at the first cluster. */
  #oneAtATime(work: () => Promise<void>): Promise<void> {
    const mine = this.#renewals.then(work);
    this.#renewals = mine.catch(() => {});
    return mine;
  }

  #failed(group: string, error: unknown, retryIn: number): void {
    if (this.#signal.aborted) return;
    this.#options.log.error('failed, will be tried again', {
      group,
      ...told(error),
      retrySeconds: Math.round(retryIn / 1000),
    });
    if (group !== fileKey) this.metrics.reconciles.inc({ group, outcome: 'failed' });
    // a token that ended is replaced in its file by whoever renews it (an agent): log in with what is there now
    if (error instanceof VaultError && error.status === 403) this.#reach = undefined;
  }

  #reachNow(mesh: Mesh): Promise<Reach> {
    this.#reach ??= this.#options.reachOf(mesh);
    this.#reach.catch(() => {
      this.#reach = undefined;
    });
    return this.#reach;
  }
}

/** With what is to be written Vault will ask an API server. */
const asksOut = (resources: readonly Resource[], { differing }: Outcome): boolean =>
  resources.some(({ reachesOut, label }) => reachesOut === true && differing.includes(label));

function told(error: unknown): Record<string, unknown> {
  if (!(error instanceof MeshrootError)) return { error: messageOf(error) };
  return {
    error: error.message,
    code: error.code,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}
