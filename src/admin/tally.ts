import { Counter, type Registry } from 'prom-client';

/** Adds one to the series of these label values, in the order of the labels. */
export type Tally = (first: string, second?: string) => void;

type TallyOptions = Readonly<{
  name: string;
  help: string;
  labels: readonly [string, string?];
  registers: Registry[];
}>;

type Series = { readonly labels: Readonly<Record<string, string>>; count: number };

/**
 * A counter that is counted up many times a request: prom-client's own finds its series by sorting and joining the labels each
 * time, here that happens when the metrics are read.
 */
export function createTally({ name, help, labels, registers }: TallyOptions): Tally {
  const rows = new Map<string, Map<string, Series>>();
  const counter = new Counter({
    name,
    help,
    labelNames: labels.filter((label) => label !== undefined),
    registers,
    collect() {
      for (const row of rows.values()) {
        for (const each of row.values()) {
          counter.inc(each.labels, each.count);
          each.count = 0;
        }
      }
    },
  });
  const [firstLabel, secondLabel] = labels;

  const begin = (first: string, second: string): Series => {
    const series = {
      labels: { [firstLabel]: first, ...(secondLabel !== undefined && { [secondLabel]: second }) },
      count: 0,
    };
    rows.set(first, (rows.get(first) ?? new Map<string, Series>()).set(second, series));
    return series;
  };

  return (first, second = '') => {
    const series = rows.get(first)?.get(second) ?? begin(first, second);
    series.count += 1;
  };
}
