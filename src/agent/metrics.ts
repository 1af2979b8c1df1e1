/** Counters and gauges of one agent, printed as Prometheus wants them; a library would cost the agent its start. */
export class AgentMetrics {
  readonly #rows = new Map<string, number>();

  /** @param name with its labels, `meshroot_agent_rendered_total{destination="/a"}` */
  count(name: string): void {
    this.#rows.set(name, (this.#rows.get(name) ?? 0) + 1);
  }

  set(name: string, value: number): void {
    this.#rows.set(name, value);
  }

  /** Takes all rows away that begin with `prefix`: a gauge whose labels change. */
  drop(prefix: string): void {
    for (const name of this.#rows.keys()) if (name.startsWith(prefix)) this.#rows.delete(name);
  }

  /** The text format of Prometheus, version 0.0.4. */
  text(): string {
    const rows = [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1));
    const seen = new Set<string>();
    return rows
      .flatMap(([name, value]) => {
        const family = name.replace(/\{.*/, '');
        const type = /_total$|_success$|_failure$/.test(family) ? 'counter' : 'gauge';
        const head = seen.has(family) ? [] : [`# TYPE ${family} ${type}`];
        seen.add(family);
        return [...head, `${name} ${value}`];
      })
      .map((line) => `${line}\n`)
      .join('');
  }
}

/** `{a="x",b="y"}` */
export function labels(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(
    ([k, v]) => `${k}="${v.replace(/["\\\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`,
  );
  return `{${pairs.join(',')}}`;
}

/** What is delivered of a set: its serial as a label, its end in seconds since the epoch as the value. */
export function noteSet(
  metrics: AgentMetrics,
  { folder, verifier }: { readonly folder: string; readonly verifier: { readonly name: string } },
  facts: Readonly<Record<string, string>>,
): void {
  const { serial, notAfter } = facts;
  if (serial === undefined || notAfter === undefined) return;
  const name = 'meshroot_agent_set_not_after_seconds';
  const where = labels({ set: verifier.name, folder });
  metrics.drop(`${name}${where.slice(0, -1)},`);
  metrics.set(`${name}${where.slice(0, -1)},serial="${serial}"}`, Date.parse(notAfter) / 1000);
}
