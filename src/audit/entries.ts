import { readJournalDirectory } from './journal-directory.ts';
import { readJournalLines } from './journal-lines.ts';
import { readRecord } from './parse-record.ts';
import { withClosing } from './past-intent.ts';
import type { ClosingRecord, PastIntent } from './past-intent.ts';
import type { AuditRecord, RefusalEvent } from './record.ts';

/** One thing that was asked for, with all that the journal says of it. */
export type Entry = PastIntent | Readonly<{ refusal: AuditRecord<RefusalEvent> }>;

/**
 * The entries of a journal, each when its last record was read; open intents come last. Only intents under way are
 * held in memory, and those of unknown outcome that a later request with the same key may still settle.
 */
export async function* readEntries(
  directory: string,
  onProgress?: (bytesRead: number) => void,
): AsyncGenerator<Entry> {
  const pending = new Map<string, PastIntent>();
  const { numbers } = await readJournalDirectory(directory);
  let bytes = 0;

  /** The whole entry, once nothing more can be said of it. */
  function close(record: ClosingRecord): Entry | undefined {
    const intent = pending.get(record.intent);
    if (intent === undefined) return undefined;
    const entry = withClosing(intent, record);
    const maySettle = entry.intent.idempotencyKeyHash !== undefined && record.result === 'unknown';
    if (maySettle) pending.set(record.intent, entry);
    else pending.delete(record.intent);
    return maySettle ? undefined : entry;
  }

  function add(record: AuditRecord): Entry | undefined {
    switch (record.kind) {
      case 'refusal':
        return { refusal: record };
      case 'intent':
        pending.set(record.id, { intent: record });
        return undefined;
      case 'outcome':
      case 'recovered':
      case 'settled':
        return close(record);
      default:
        return undefined;
    }
  }

  for (const number of numbers) {
    for await (const lines of readJournalLines(directory, number, number === numbers.at(-1))) {
      for (const { text, start, end } of lines) {
        bytes += end - start;
        const record = text === undefined ? undefined : readRecord(text);
        const entry = record === undefined ? undefined : add(record);
        if (entry !== undefined) yield entry;
      }
      onProgress?.(bytes);
    }
  }
  yield* pending.values();
}
