import ipaddr from 'ipaddr.js';
import type { AppendAudit, RefusalEvent } from './record.ts';

export type Refusal = Omit<RefusalEvent, 'count'>;

/**
 * The record of what was refused: of an actor (without one, of an address), a code and a minute the first at once, all
 * further ones as one record with their `count` at the end of the minute.
 */
export type RefusalLog = Readonly<{
  /** Resolves once a first one is durable. Never rejects: the answer goes out anyway. */
  record: (refusal: Refusal) => Promise<void>;
  /** Writes the counts that have gathered so far (at the end of the process). Never rejects. */
  flush: () => Promise<void>;
}>;

export type RefusalLogOptions = Readonly<{
  append: AppendAudit;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Runs something once, later; must not keep the process alive. */
  schedule?: (run: () => void, milliseconds: number) => void;
  /** Different actors and addresses told apart in one minute; all others share one count for each code. */
  maxKeys?: number;
}>;

/** The `address` of a count over those beyond `maxKeys`. */
export const MANY_ADDRESSES = '*';
const MINUTE_MS = 60_000;

type Tally = { readonly refusal: Refusal; further: number };

export function createRefusalLog(options: RefusalLogOptions): RefusalLog {
  const { append, now = Date.now, schedule = scheduleUnref, maxKeys = 1000 } = options;
  let tallies = new Map<string, Tally>();
  let minute = Number.NaN;

  /** One timer for all keys of a minute, and none in a minute without refusals. */
  function beginMinute(time: number): void {
    minute = Math.floor(time / MINUTE_MS);
    const begun = minute;
    schedule(() => void (begun === minute ? endMinute() : undefined), (begun + 1) * MINUTE_MS - time);
  }

  async function endMinute(): Promise<void> {
    const ended = tallies;
    tallies = new Map();
    minute = Number.NaN;
    const counted = [...ended.values()].filter(({ further }) => further > 0);
    await Promise.all(
      counted.map(({ refusal, further }) => append({ ...refusal, count: further }).catch(() => undefined)),
    );
  }

  return {
    async record(refusal) {
      const time = now();
      if (Math.floor(time / MINUTE_MS) !== minute) {
        void endMinute();
        beginMinute(time);
      }
      const key = toKey(refusal);
      const tally = tallies.get(key);
      if (tally !== undefined) {
        tally.further += 1;
        return;
      }
      if (tallies.size >= maxKeys) {
        countOverflow(tallies, refusal);
        return;
      }
      const first: Tally = { refusal, further: 0 };
      tallies.set(key, first);
      try {
        await append(refusal);
      } catch {
        // Not written now, it is at least counted when the minute ends.
        first.further += 1;
      }
    },
    flush: endMinute,
  };
}

/** Codes are a closed set, so these tallies are few. */
function countOverflow(tallies: Map<string, Tally>, { kind, status, code }: Refusal): void {
  const key = `${MANY_ADDRESSES} ${code}`;
  const tally = tallies.get(key);
  if (tally !== undefined) tally.further += 1;
  else tallies.set(key, { refusal: { kind, source: { address: MANY_ADDRESSES }, status, code }, further: 1 });
}

function toKey({ actor, source, code }: Refusal): string {
  if (actor === undefined) return `${toNetwork(source.address)} ${code}`;
  return `${actor.tenantId} ${actor.objectId} ${actor.clientId} ${code}`;
}

/** Of IPv6 the /64: one host has that many addresses, and each would cost a record (RFC 4291 section 2.5.4). */
function toNetwork(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  return parsed.parts.slice(0, 4).join(':');
}

function scheduleUnref(run: () => void, milliseconds: number): void {
  setTimeout(run, milliseconds).unref();
}
