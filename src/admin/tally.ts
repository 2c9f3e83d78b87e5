import { Counter, type Registry } from 'prom-client';

/** Adds one to the series of these label values, in the order of the labels. */
export type Tally = (...values: readonly string[]) => void;

type TallyOptions = Readonly<{
  name: string;
  help: string;
  labels: readonly string[];
  registers: Registry[];
}>;

type Series = { readonly labels: Readonly<Record<string, string>>; count: number };

/**
 * A counter that is counted up many times a request: prom-client's own finds its series by sorting and joining the labels each
 * time, here that happens when the metrics are read.
 */
export function createTally({ name, help, labels, registers }: TallyOptions): Tally {
  const series = new Map<string, Series>();
  const counter = new Counter({
    name,
    help,
    labelNames: [...labels],
    registers,
    collect() {
      for (const each of series.values()) {
        counter.inc(each.labels, each.count);
        each.count = 0;
      }
    },
  });

  return (...values) => {
    const key = values.join('\n');
    const known = series.get(key);
    if (known) known.count += 1;
    else
      series.set(key, {
        labels: Object.fromEntries(labels.map((label, at) => [label, values[at] ?? ''])),
        count: 1,
      });
  };
}
