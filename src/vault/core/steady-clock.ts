/**
 * The time by which tokens and leases end. It goes on when the machine's clock jumps back, and after a restart it begins
 * no earlier than it was last seen: what has ended does not come back to life, what has a minute left keeps a minute.
 */
export class SteadyClock {
  readonly #wall: () => number;
  readonly #onJump: (ms: number) => void;
  #last: number;
  #ahead = 0;

  /** @param last the latest time known from before; all in milliseconds */
  constructor(wall: () => number, last: number, onJump: (ms: number) => void) {
    this.#wall = wall;
    this.#last = last;
    this.#onJump = onJump;
  }

  now(): number {
    const wall = this.#wall();
    const behind = this.#last - (wall + this.#ahead);
    if (behind > 0) {
      this.#ahead += behind;
      this.#onJump(behind);
    }
    this.#last = wall + this.#ahead;
    return this.#last;
  }
}
