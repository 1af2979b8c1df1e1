import type { Clock } from '../lib/clock.ts';
import type { HandshakeResult, HandshakeTarget } from './workload-handshake.ts';

export interface PeerStats {
  readonly target: string;
  ok: number;
  failed: number;
  lastError: string | undefined;
  last: HandshakeResult | undefined;
  maxMs: number;
}

export interface HandshakeStats {
  readonly ok: number;
  readonly failed: number;
  readonly lastError: string | undefined;
  readonly perPeer: readonly PeerStats[];
}

/** Shakes hands with a list of peers again and again, and counts. One at a time per peer. */
export class PeerProber {
  readonly #shake: (target: HandshakeTarget) => Promise<HandshakeResult>;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #peers: PeerStats[] = [];
  #round = new AbortController();

  constructor(
    shake: (target: HandshakeTarget) => Promise<HandshakeResult>,
    clock: Clock,
    signal: AbortSignal,
  ) {
    this.#shake = shake;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Replaces the peers and starts counting anew; an empty list stops. `interval` in ms. */
  start(targets: readonly HandshakeTarget[], interval: number): void {
    this.#round.abort();
    this.#round = new AbortController();
    const signal = AbortSignal.any([this.#round.signal, this.#signal]);
    this.#peers = targets.map(({ host, port }) => ({
      target: `${host}:${port}`,
      ok: 0,
      failed: 0,
      lastError: undefined,
      last: undefined,
      maxMs: 0,
    }));
    targets.forEach((target, i) => {
      const stats = this.#peers[i];
      if (stats !== undefined) void this.#follow(target, stats, interval, signal);
    });
  }

  stats(): HandshakeStats {
    const sum = (of: (peer: PeerStats) => number) => this.#peers.reduce((total, peer) => total + of(peer), 0);
    return {
      ok: sum((peer) => peer.ok),
      failed: sum((peer) => peer.failed),
      lastError: this.#peers.find((peer) => peer.lastError !== undefined)?.lastError,
      perPeer: this.#peers,
    };
  }

  async #follow(
    target: HandshakeTarget,
    stats: PeerStats,
    interval: number,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      const result = await this.#shake(target);
      if (signal.aborted) return; // ended in the middle: says nothing about the peer
      stats.last = result;
      stats.maxMs = Math.max(stats.maxMs, result.ms);
      if (result.ok) stats.ok += 1;
      else {
        stats.failed += 1;
        stats.lastError = result.error;
      }
      await this.#clock.sleep(interval, signal).catch(() => {});
    }
  }
}
