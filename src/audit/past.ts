import { join } from 'node:path';
import { GENESIS_HASH } from './chain.ts';
import { cutTail } from './cut-tail.ts';
import { countsSince, summariseFile } from './file-summary.ts';
import type { JournalFiles } from './journal-files.ts';
import { readJournalDirectory } from './journal-directory.ts';
import { parseJournalName, toFileName } from './journal-names.ts';
import { isCreation, toProfileName } from './next-creations.ts';
import { isOpen } from './past-intent.ts';
import type { Ending, PastIntent } from './past-intent.ts';
import type { JournalEnd } from './segments.ts';

/** Something that no process of ours leaves behind stands where the journal ends or would go on. */
export class JournalDamagedError extends Error {
  override readonly name = 'JournalDamagedError';

  constructor(what: string) {
    super(`${what}; check the directory with "audit verify", then move it aside to begin a new journal`);
  }
}

/** What earlier processes left in an audit directory. */
export type Past = Readonly<{
  /** `hash` of the last record, or 64 zeros. */
  hash: string;
  end: JournalEnd;
  /** Ids of the intents without an end, oldest first. */
  open: readonly string[];
  /** Intents whose idempotency keys may still come again, oldest first. */
  keyed: readonly PastIntent[];
}>;

/** Keys kept in memory, the youngest: about 2 KB each. */
const MAX_KEYED = 20_000;

/**
 * Reads an audit directory from its newest file backwards, as far as intents can be open or keys still count, and
 * cuts a torn tail of the newest file. All that was open before a `start` was closed by that process before it
 * served; so the reading may end with a file in which such a process began.
 *
 * @param since milliseconds since the epoch: keys of older intents no longer count
 */
export async function readPast(files: JournalFiles, directory: string, since: number): Promise<Past> {
  const { numbers, foreign } = await readJournalDirectory(directory);
  const misnamed = foreign.find((name) => parseJournalName(name).kind === 'records');
  if (misnamed !== undefined) throw new JournalDamagedError(`${join(directory, misnamed)} is no file`);
  const newest = numbers.at(-1) ?? 0;
  const newer = new Map<string, Ending>();
  const nextCreations = new Map<string, number>();
  const serving = new Set<string>();
  let open: readonly string[] = [];
  let keyed: readonly PastIntent[] = [];
  let hash: string | undefined;
  let end: JournalEnd = { number: newest, size: 0, day: '' };

  for (const number of numbers.toReversed()) {
    const name = toFileName(number);
    const summary = await summariseFile(join(directory, name), since);
    if (number === newest) {
      if (summary.damagedLine !== undefined) {
        throw new JournalDamagedError(
          `${join(directory, name)} line ${summary.damagedLine} is not an audit record`,
        );
      }
      if (summary.length > summary.wholeLength) {
        await cutTail(files, directory, name, summary.wholeLength);
      }
      end = { number, size: summary.wholeLength, day: summary.last?.time.slice(0, 10) ?? '' };
    }
    hash ??= summary.last?.hash;
    const intents = [...summary.intents.values()].map((past) => ({
      ...withNext(past, nextCreations),
      ...newer.get(past.intent.id),
    }));
    open = [...intents.filter(isOpen).map(({ intent }) => intent.id), ...open];
    keyed = [...intents.filter((past) => countsSince(past, since)), ...keyed];
    for (const [id, ending] of summary.endings) newer.set(id, { ...ending, ...newer.get(id) });
    for (const [profile, at] of summary.firstCreations) nextCreations.set(profile, at);
    for (const chain of summary.serving) serving.add(chain);
    const closedBefore = [...summary.starts].some((chain) => serving.has(chain));
    if (closedBefore && summary.first !== undefined && Date.parse(summary.first.time) < since) break;
  }
  return { hash: hash ?? GENESIS_HASH, end, open, keyed: keyed.slice(-MAX_KEYED) };
}

/** With the next creation on its profile where that stands in a newer file. */
function withNext(past: PastIntent, newer: ReadonlyMap<string, number>): PastIntent {
  const nextAt = past.nextAt ?? (isCreation(past.intent) ? newer.get(toProfileName(past.intent)) : undefined);
  return nextAt === undefined ? past : { ...past, nextAt };
}
