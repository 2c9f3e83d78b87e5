import { createFileTail } from './file-tail.ts';
import type { FileEnd } from './file-tail.ts';
import { countsSince, isOpen, toKeptIntent, withKeptClosing, withKeptEnding } from './kept-intent.ts';
import type { KeptEnding, KeptIntent } from './kept-intent.ts';
import type { ClosingRecord } from './past-intent.ts';
import { createNextCreations } from './next-creations.ts';
import type { NextCreations } from './next-creations.ts';
import { readLines } from './read-lines.ts';
import type { AuditRecord, IntentEvent } from './record.ts';

/** What one file of the journal says to a process that starts. */
export type FileSummary = Readonly<{
  first: AuditRecord | undefined;
  last: AuditRecord | undefined;
  end: FileEnd;
  /** By id; those that ended in this file and have no young idempotency key are left out, unless they are undecided creations. */
  intents: ReadonlyMap<string, KeptIntent>;
  creations: Pick<NextCreations, 'firsts' | 'lasts'>;
  /** By id of an intent of an earlier file. */
  endings: ReadonlyMap<string, KeptEnding>;
  /** The chains that begin in this file, and those that got further than their recovery: to serve. */
  starts: ReadonlySet<string>;
  serving: ReadonlySet<string>;
}>;

/**
 * @param since milliseconds since the epoch: keys of older intents no longer count
 * @param followed whether a newer file stands behind it
 */
export async function summariseFile(path: string, since: number, followed: boolean): Promise<FileSummary> {
  const intents = new Map<string, KeptIntent>();
  const endings = new Map<string, KeptEnding>();
  const starts = new Set<string>();
  const serving = new Set<string>();
  const creations = createNextCreations();
  let first: AuditRecord | undefined;
  let last: AuditRecord | undefined;

  function close(record: ClosingRecord): void {
    const past = intents.get(record.intent);
    if (past === undefined) {
      endings.set(record.intent, withKeptClosing(endings.get(record.intent) ?? {}, record));
      return;
    }
    const ended = withKeptEnding(past, withKeptClosing(past, record));
    if (countsSince(past, since) || ended.profile !== undefined) intents.set(record.intent, ended);
    else if (!isOpen(ended)) intents.delete(record.intent);
  }

  function begin(record: AuditRecord<IntentEvent>): void {
    intents.set(record.id, toKeptIntent(record));
    const before = intents.get(creations.add(record) ?? '');
    if (before) intents.set(before.intent.id, { ...before, nextAt: Date.parse(record.time) });
  }

  function add(record: AuditRecord): void {
    first ??= record;
    last = record;
    if (record.kind === 'start') starts.add(record.chain);
    else if (record.kind !== 'recovered') serving.add(record.chain);
    if (record.kind === 'intent') begin(record);
    if (record.kind === 'outcome' || record.kind === 'recovered' || record.kind === 'settled') close(record);
  }

  const tail = createFileTail(add);
  for await (const lines of readLines(path)) lines.forEach(tail.add);
  const end = tail.end(followed);
  return { first, last, end, intents, creations, endings, starts, serving };
}
