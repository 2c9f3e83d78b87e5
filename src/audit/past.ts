import { join } from 'node:path';
import { GENESIS_HASH } from './chain.ts';
import { cutTail } from './cut-tail.ts';
import { summariseFile } from './file-summary.ts';
import type { JournalFiles } from './journal-files.ts';
import { readJournalDirectory } from './journal-directory.ts';
import { parseJournalName, toFileName } from './journal-names.ts';
import { countsSince, isOpen, readUndecidedCreation, withKeptEnding } from './kept-intent.ts';
import type { KeptEnding, KeptIntent, UndecidedCreation } from './kept-intent.ts';
import type { AuditRecord, SettledEvent } from './record.ts';
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
  /** By `idempotencyKeyHash`: the youngest intent of each key that may still come again, the youngest of all first. */
  keyed: ReadonlyMap<string, KeptIntent>;
  /** Those of them that are settled, oldest first. */
  settled: readonly AuditRecord<SettledEvent>[];
  /** The creations on which Graph may act late, or did, the youngest first. */
  undecided: readonly UndecidedCreation[];
}>;

/** Keys kept in memory, the youngest: as many as the store of this process keeps, see `memory-idempotency-store.ts`. */
const MAX_KEYED = 100_000;

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
  const newer = new Map<string, KeptEnding>();
  const nextCreations = new Map<string, number>();
  const keyed = new Map<string, KeptIntent>();
  const serving = new Set<string>();
  const undecided: UndecidedCreation[] = [];
  let open: readonly string[] = [];
  let hash: string | undefined;
  let end: JournalEnd = { number: newest, size: 0, day: '' };

  for (const number of numbers.toReversed()) {
    const name = toFileName(number);
    const summary = await summariseFile(join(directory, name), since, number !== newest);
    if (number === newest) {
      const { damagedLine, length, wholeLength } = summary.end;
      if (damagedLine !== undefined) {
        throw new JournalDamagedError(`${join(directory, name)} line ${damagedLine} is not an audit record`);
      }
      if (length > wholeLength) await cutTail(files, directory, name, wholeLength);
      end = { number, size: wholeLength, day: summary.last?.time.slice(0, 10) ?? '' };
    }
    hash ??= summary.last?.hash;
    const nextAt = toNextAt(summary.creations.lasts, nextCreations);
    const openHere: string[] = [];
    // The youngest first: of the keys it is the one that counts, and the oldest are those that find no room.
    for (const past of [...summary.intents.values()].toReversed()) {
      const { id, idempotencyKeyHash } = past.intent;
      const next = past.nextAt ?? nextAt.get(id);
      const whole = withKeptEnding(
        next === undefined ? past : { ...past, nextAt: next },
        newer.get(id) ?? {},
      );
      if (isOpen(whole)) openHere.push(id);
      const creation = readUndecidedCreation(whole);
      if (creation && creation.intendedAt >= since) undecided.push(creation);
      if (idempotencyKeyHash === undefined || !countsSince(whole, since)) continue;
      if (keyed.size < MAX_KEYED && !keyed.has(idempotencyKeyHash)) keyed.set(idempotencyKeyHash, whole);
    }
    open = [...openHere.toReversed(), ...open];
    for (const [id, ending] of summary.endings) newer.set(id, { ...ending, ...newer.get(id) });
    for (const [profile, at] of summary.creations.firsts) nextCreations.set(profile, at);
    for (const chain of summary.serving) serving.add(chain);
    const closedBefore = [...summary.starts].some((chain) => serving.has(chain));
    if (closedBefore && summary.first !== undefined && Date.parse(summary.first.time) < since) break;
  }
  const settled = [...keyed.values()].flatMap((past) => past.settled ?? []).toReversed();
  return { hash: hash ?? GENESIS_HASH, end, open, keyed, settled, undecided };
}

/** By `id` of the last creation on a profile in one file: when the next one was intended, where that stands in a newer file. */
function toNextAt(
  lasts: ReadonlyMap<string, string>,
  newer: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const nextAt = new Map<string, number>();
  for (const [profile, id] of lasts) {
    const at = newer.get(profile);
    if (at !== undefined) nextAt.set(id, at);
  }
  return nextAt;
}
