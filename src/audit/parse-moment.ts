import { UsageError } from './command-world.ts';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** RFC 3339, a date (UTC), or how long ago (`90m`, `24h`, `7d`), as milliseconds since the epoch. */
export function parseMoment(text: string, now: number): number {
  const [, count, unit] = /^(\d+)([mhd])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) return now - Number(count) * (UNITS[unit] ?? 0);
  const moment = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(moment)) throw new UsageError(`"${text}" is no time: give RFC 3339, a date, or 24h.`);
  return moment;
}
