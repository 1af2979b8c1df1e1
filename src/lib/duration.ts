import { MeshrootError } from './errors.ts';

/** Milliseconds per unit. `d`, `w` and `y` are meshroot's (and Vault's `d`); Go itself knows only up to `h`. */
const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

export const seconds = (n: number): number => n * 1000;
export const minutes = (n: number): number => n * 60_000;
export const hours = (n: number): number => n * 3_600_000;
export const days = (n: number): number => n * 86_400_000;

/**
 * Milliseconds of `90d`, `1h30m`, `10y`, `-5s` or a bare number of seconds (`60`).
 * @throws MeshrootError `bad-duration`
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim();
  if (/^[-+]?\d+$/.test(trimmed)) return Number(trimmed) * 1000;
  const match = /^([-+]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|[smhdwy]))+$/.exec(trimmed);
  if (match === null) {
    throw new MeshrootError('bad-duration', `"${text}" is not a duration`, {
      hint: 'write for example 90d, 12h, 1h30m or 45s',
    });
  }
  let total = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|[smhdwy])/g)) {
    total += Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN);
  }
  return match[1] === '-' ? -total : total;
}

/** As people say it: the largest whole unit, `89d`, `2h`, `45s`, `0.4s`; negative for what is past. */
export function humanDuration(ms: number): string {
  const size = Math.abs(ms);
  const sign = ms < 0 ? '-' : '';
  if (size < 10_000) return `${sign}${(size / 1000).toFixed(1)}s`;
  const unit = size >= 2 * 86_400_000 ? 'd' : size >= 2 * 3_600_000 ? 'h' : size >= 120_000 ? 'm' : 's';
  return `${sign}${Math.floor(size / (unitMs[unit] ?? 1))}${unit}`;
}

/** Go's `time.Duration.String()` for whole seconds: `1h0m0s`, `3m20s`, `45s`, `0s`. */
export function goDuration(ms: number): string {
  const total = Math.floor(ms / 1000);
  const h = Math.floor(total / 3600);
  const m = Math.floor((total % 3600) / 60);
  const s = total % 60;
  if (h > 0) return `${h}h${m}m${s}s`;
  return m > 0 ? `${m}m${s}s` : `${s}s`;
}
