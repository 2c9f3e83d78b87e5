import type { Row } from './scenario.ts';

const HEAD = ['', 'CPU µs', '÷ HAProxy', '÷ textbook', 'requests/s', 'p50 ms', 'p99 ms', 'MB', ''] as const;

const toRatio = (value: number, base: number | undefined): string =>
  base === undefined ? '' : (value / base).toFixed(value / base < 0.1 ? 3 : 2);

/** A Markdown table of one scenario. CPU is that of the server for one request. */
export function toTable(rows: readonly Row[]): string {
  const cpuOf = (label: string): number | undefined => rows.find((row) => row.label === label)?.figures.cpu;
  const lines = rows.map(({ label, figures, note = '' }) => {
    const { cpu, perSecond, p50, p99, memory, unexpected } = figures;
    const remark = unexpected > 0 ? `${unexpected} answers of another status; ${note}` : note;
    return [
      label,
      cpu.toFixed(0),
      toRatio(cpu, cpuOf('haproxy')),
      toRatio(cpu, cpuOf('textbook')),
      perSecond.toFixed(0),
      p50.toFixed(2),
      p99.toFixed(2),
      (memory / 1024 ** 2).toFixed(0),
      remark,
    ];
  });
  const table = [
    HEAD,
    HEAD.map((_, index) => (index === 0 || index === HEAD.length - 1 ? '---' : '--:')),
    ...lines,
  ];
  return table.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
