/**
 * How many calls may be open in one server, decided before anything of a call is read: what is refused here has cost
 * a few header fields. A connection that has no call open gets one in up to twice the number, so that connections which
 * bring hundreds of calls shut out themselves and not those that bring one.
 */
export class CallIntake {
  readonly #most: number;
  readonly #byConnection = new Map<object, number>();
  #open = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get open(): number {
    return this.#open;
  }

  /** Whether the call may come in; then `leave` is to be called once, at its end. */
  enter(connection: object): boolean {
    const own = this.#byConnection.get(connection) ?? 0;
    if (this.#open >= (own > 0 ? this.#most : 2 * this.#most)) return false;
    this.#open += 1;
    this.#byConnection.set(connection, own + 1);
    return true;
  }

  leave(connection: object): void {
    const own = this.#byConnection.get(connection) ?? 0;
    if (own === 0) return;
    this.#open -= 1;
    if (own > 1) this.#byConnection.set(connection, own - 1);
    else this.#byConnection.delete(connection);
  }
}
