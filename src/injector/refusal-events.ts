import type { KubeApi, KubeObject } from '../kube/api.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { isRecord } from '../lib/records.ts';

export interface RefusalEventsOptions {
  readonly kube: Pick<KubeApi, 'create'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A controller tries a refused pod again and again; the same reason is told once in this time. */
const repeatMs = 10 * 60_000;
const mostKnown = 1000;
/** Events wait for the API server one behind the other; what comes on top while it is slow is only logged. */
const mostWaiting = 100;
/** Bound of the Kubernetes API for an Event's message. */
const longestMessage = 1024;

/** Tells refusals where `kubectl describe` and `kubectl get events` show them. Never in the way of an answer. */
export class RefusalEvents {
  readonly #options: RefusalEventsOptions;
  /** Until when a refusal is known, by its key; oldest first. */
  readonly #known = new Map<string, number>();
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(options: RefusalEventsOptions) {
    this.#options = options;
  }

  /** @param review body of the AdmissionReview that was refused; a dry run leaves no Event behind */
  record(review: unknown, message: string): void {
    const { clock, log } = this.#options;
    const request = isRecord(review) && isRecord(review.request) ? review.request : {};
    if (request.dryRun === true || typeof request.namespace !== 'string' || request.namespace === '') return;
    const about = involvedObject(request.object, request.namespace);
    const now = clock.now();
    if (this.#isKnown(`${request.namespace}/${about.kind}/${about.name}: ${message}`, now)) return;
    if (this.#waiting >= mostWaiting) {
      log.warn('an event was left out: the API server is slow', { namespace: request.namespace });
      return;
    }
    this.#waiting++;
    this.#last = this.#last.then(() => this.#create(about, message.slice(0, longestMessage), now));
  }

  /** Resolves when everything recorded so far was sent, or could not be. */
  flushed(): Promise<void> {
    return this.#last;
  }

  #isKnown(key: string, now: number): boolean {
    for (const [old, until] of this.#known) {
      if (until > now && this.#known.size < mostKnown) break;
      this.#known.delete(old);
    }
    if (this.#known.has(key)) return true;
    this.#known.set(key, now + repeatMs);
    return false;
  }

  async #create(about: InvolvedObject, message: string, now: number): Promise<void> {
    try {
      await this.#options.kube.create(eventOf(about, message, now));
    } catch (error) {
      this.#options.log.warn('an event could not be written', { error: messageOf(error) });
    } finally {
      this.#waiting--;
    }
  }
}

interface InvolvedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
}

/** The controller that makes the pod: the pod itself never comes to be. */
function involvedObject(pod: unknown, namespace: string): InvolvedObject {
  const metadata = isRecord(pod) && isRecord(pod.metadata) ? pod.metadata : {};
  const owners: unknown[] = Array.isArray(metadata.ownerReferences) ? metadata.ownerReferences : [];
  const owner = owners.filter(isRecord).find(({ controller }) => controller === true);
  if (owner !== undefined) {
    const { apiVersion, kind, name, uid } = owner;
    return { apiVersion: text(apiVersion), kind: text(kind), namespace, name: text(name), uid: text(uid) };
  }
  const name = text(metadata.name) || text(metadata.generateName).replace(/-$/, '');
  return { apiVersion: 'v1', kind: 'Pod', namespace, name: name || 'unnamed' };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function eventOf(about: InvolvedObject, message: string, now: number): KubeObject {
  const at = `${new Date(now).toISOString().slice(0, 19)}Z`;
  const component = 'meshroot-injector';
  // as client-go names events: the object and a stamp that no other has
  const stamp = `${now.toString(16)}${hash(message).toString(16)}`;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${about.name.slice(0, 200)}.${stamp}`, namespace: about.namespace },
    involvedObject: about,
    type: 'Warning',
    reason: 'InjectionRefused',
    message,
    source: { component },
    reportingComponent: component,
    reportingInstance: '',
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
