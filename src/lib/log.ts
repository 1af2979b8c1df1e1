/** Structured facts beside a message. Never a secret: wrap those in `Secret`, which prints `(hidden)`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What every room logs through; `cli/` and `server/` decide the format and where it goes. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry `name`, as Vault's and Istio's scopes do. */
  named(name: string): Logger;
}

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  named: () => silentLogger,
};
