import { readRecord } from './parse-record.ts';
import type { Line } from './read-lines.ts';
import type { AuditRecord } from './record.ts';
import { MAX_GROUP } from './recorder.ts';

/** Where the records of a file end. */
export type FileEnd = Readonly<{
  /** Bytes up to the end of the last record that stands, and in all. */
  wholeLength: number;
  length: number;
  /** Line behind the last record that is no torn write: it was ended, and holds no zeros of a lost page. */
  damagedLine: number | undefined;
}>;

export type FileTail = Readonly<{
  /** Takes the next line of the file. */
  add: (line: Line) => void;
  /** @param followed whether another file was begun behind it, which happens only once all in this one is durable */
  end: (followed: boolean) => FileEnd;
}>;

type Placed = Readonly<{ record: AuditRecord; end: number }>;

/**
 * Tells the records that stand from what a crash left at the end of a file: a line without its end, or, when the machine
 * lost power, zeros where a page was not written. Behind such a page may stand whole records of the same group, whose
 * write was never acknowledged. They hang in the air, as what they continue is lost, and so they fall with it.
 *
 * @param accept is given each record that stands, in order
 */
export function createFileTail(accept: (record: AuditRecord) => void): FileTail {
  let last: AuditRecord | undefined;
  let damagedLine: number | undefined;
  /** The records behind a line with zeros, as long as nothing tells that they were acknowledged. */
  let behindZeros: Placed[] | undefined;
  let [wholeLength, length, lineNumber] = [0, 0, 0];

  function stand({ record, end }: Placed): void {
    last = record;
    wholeLength = end;
    damagedLine = undefined;
    accept(record);
  }

  /** Those zeros were no crash: what was acknowledged stands, and `audit verify` tells that the chain is broken. */
  function keepBehindZeros(): void {
    behindZeros?.forEach(stand);
    behindZeros = undefined;
  }

  return {
    add(line) {
      lineNumber += 1;
      length = line.end;
      const record = line.terminated && line.text !== undefined ? readRecord(line.text) : undefined;
      if (record !== undefined) {
        if (behindZeros === undefined) return stand({ record, end: line.end });
        behindZeros.push({ record, end: line.end });
        if (wasAcknowledged(behindZeros, last)) keepBehindZeros();
      } else if (line.zeros || line.text?.includes('\0') === true) {
        behindZeros ??= [];
      } else if (line.terminated) {
        keepBehindZeros();
        damagedLine ??= lineNumber;
      }
    },
    end(followed) {
      if (followed) keepBehindZeros();
      return { wholeLength, length, damagedLine };
    },
  };
}

/**
 * Whether the newest of the records behind a lost page proves that the page was once on disk: a process that began or
 * ended (alone in its group), more than one group, or the end of an intent of theirs, which is acknowledged before.
 */
function wasAcknowledged(records: readonly Placed[], last: AuditRecord | undefined): boolean {
  const record = records.at(-1)?.record;
  const before = last ?? records[0]?.record;
  if (record === undefined || before === undefined) return false;
  if (record.kind === 'start' || record.kind === 'stop') return true;
  if (record.chain !== before.chain || record.seq - before.seq > MAX_GROUP) return true;
  const isEnd = record.kind === 'outcome' || record.kind === 'recovered' || record.kind === 'settled';
  return isEnd && records.some(({ record: { id } }) => id === record.intent);
}
