/** What is measured, how its column is called, and how many digits of it mean something. */
export const measures = {
  perSecond: { title: 'per second', digits: 0 },
  p50: { title: 'p50 ms', digits: 2 },
  p99: { title: 'p99 ms', digits: 2 },
  cpu: { title: 'CPU ms each', digits: 3 },
  rss: { title: 'RSS MB', digits: 0 },
  peakRss: { title: 'peak RSS MB', digits: 0 },
  served: { title: 'served', digits: 0 },
  serials: { title: 'serials', digits: 0 },
  retries: { title: 'told to come back', digits: 0 },
  seconds: { title: 'seconds', digits: 3 },
  micros: { title: 'µs each', digits: 1 },
  cpuSeconds: { title: 'CPU seconds', digits: 3 },
  peakPerSecond: { title: 'peak per second', digits: 0 },
  even: { title: 'peak / even', digits: 2 },
} as const;

export type Measure = keyof typeof measures;

/** One run of one variant; a measure that this system cannot give is missing. */
export type Sample = Readonly<Partial<Record<Measure, number>>>;

/** What a server under load is asked for. */
export const loadMeasures: readonly Measure[] = ['perSecond', 'p50', 'p99', 'cpu', 'rss'];
