import type { AppendAudit } from './record.ts';
import { createRefusalTallies } from './refusal-tallies.ts';
import type { Refusal, RefusalTallies, Tally } from './refusal-tallies.ts';

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
  /**
   * Networks told apart in one minute. All others share one count for each code, so that a flood of unauthenticated
   * requests, whose addresses cost nothing, does not fill the disk.
   */
  maxNetworks?: number;
  /**
   * Actors counted in one minute, about 1 KB each. Further ones are recorded as well, by name: each of them makes the
   * count of the oldest be written before its minute ends. Nobody without a token of Entra's gets this far.
   */
  maxActors?: number;
}>;

const MINUTE_MS = 60_000;

export function createRefusalLog(options: RefusalLogOptions): RefusalLog {
  const {
    append,
    now = Date.now,
    schedule = scheduleUnref,
    maxNetworks = 1000,
    maxActors = 10_000,
  } = options;
  const createTallies = () => createRefusalTallies({ actors: maxActors, networks: maxNetworks });
  /** What came in this minute beyond the first ones. */
  let further: RefusalTallies = createTallies();
  /** What is to be written as a count at the next end of a minute: a disk that was down lets it wait. */
  let owed: RefusalTallies = createTallies();
  let minute = Number.NaN;

  /** One timer for all keys of a minute, and none in a minute without refusals. */
  function beginMinute(time: number): void {
    minute = Math.floor(time / MINUTE_MS);
    const begun = minute;
    schedule(() => void (begun === minute ? endMinute() : undefined), (begun + 1) * MINUTE_MS - time);
  }

  async function endMinute(): Promise<void> {
    for (const { refusal, count } of further.values()) if (count > 0) owed.add(refusal, count);
    const due = owed.values();
    further = createTallies();
    owed = createTallies();
    minute = Number.NaN;
    await Promise.all(due.map(writeCount));
  }

  async function writeCount({ refusal, count }: Tally): Promise<void> {
    if (count > 0) await append({ ...refusal, count }).catch(() => owe(refusal, count));
  }

  /** A record that was refused only for its time may stand nevertheless: rather counted twice than not at all. */
  function owe(refusal: Refusal, count: number): void {
    owed.add(refusal, count);
    if (Number.isNaN(minute)) beginMinute(now());
  }

  function makeRoomForActor(): void {
    const oldest = further.takeOldestActor();
    if (oldest !== undefined) void writeCount(oldest);
  }

  return {
    async record(refusal) {
      const time = now();
      if (Math.floor(time / MINUTE_MS) !== minute) {
        void endMinute();
        beginMinute(time);
      }
      const isFirst = further.find(refusal) === undefined;
      if (isFirst && !further.hasRoom(refusal) && refusal.actor !== undefined) makeRoomForActor();
      if (!isFirst || !further.hasRoom(refusal)) {
        further.add(refusal, 1);
        return;
      }
      further.add(refusal, 0);
      // Not written now, it is at least counted.
      await append(refusal).catch(() => owe(refusal, 1));
    },
    flush: endMinute,
  };
}

function scheduleUnref(run: () => void, milliseconds: number): void {
  setTimeout(run, milliseconds).unref();
}
