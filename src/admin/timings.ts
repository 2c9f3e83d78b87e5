import { Histogram, type Registry } from 'prom-client';

/** Adds one duration, in seconds, to the series of this label value. */
export type Timings = (value: string, seconds: number) => void;

type TimingsOptions = Readonly<{
  name: string;
  help: string;
  /** Upper bounds in seconds, ascending. */
  buckets: readonly number[];
  label: string;
  registers: Registry[];
}>;

type Row = { readonly counts: number[]; sum: number };

/**
 * A histogram that is observed many times a request: prom-client's own validates and hashes the labels each time; here a series is
 * found by its one label, and everything else happens when the metrics are read.
 */
class OneLabelHistogram extends Histogram {
  readonly #options: TimingsOptions;
  readonly #rows = new Map<string, Row>();

  constructor(options: TimingsOptions) {
    super({ ...options, buckets: [...options.buckets], labelNames: [options.label] });
    this.#options = options;
  }

  add(value: string, seconds: number): void {
    const { buckets } = this.#options;
    const row = this.#rows.get(value) ?? { counts: Array<number>(buckets.length + 1).fill(0), sum: 0 };
    this.#rows.set(value, row);
    let at = 0;
    while (at < buckets.length && seconds > (buckets[at] ?? 0)) at += 1;
    row.counts[at] = (row.counts[at] ?? 0) + 1;
    row.sum += seconds;
  }

  /** What the registry and prom-client's own `get` read a histogram by. */
  async getForPromString() {
    const { name, help, buckets, label } = this.#options;
    const values = [...this.#rows].flatMap(([value, { counts, sum }]) => {
      const labels = { [label]: value };
      let count = 0;
      const below = counts.map((added, at) => ({
        metricName: `${name}_bucket`,
        labels: { le: buckets[at] ?? '+Inf', ...labels },
        value: (count += added),
      }));
      return [
        ...below,
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: count },
      ];
    });
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }
}

export function createTimings(options: TimingsOptions): Timings {
  const histogram = new OneLabelHistogram(options);
  return (value, seconds) => histogram.add(value, seconds);
}
