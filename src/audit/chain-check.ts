import { createLinkReader } from './read-link.ts';
import type { RecordLink } from './read-link.ts';

/** Where the chain breaks, and what that looks like. */
export type ChainDefect = Readonly<{
  kind: 'changed' | 'removed' | 'inserted' | 'swapped' | 'torn';
  file: string;
  line: number;
  /** Of the record, or the one that should stand there. */
  seq?: number;
  detail: string;
}>;

export type CheckedLine = Readonly<{
  file: string;
  line: number;
  text: string | undefined;
  terminated: boolean;
}>;

export type ChainCheck = Readonly<{
  /** The next line of the journal; a defect is told here or with the line after, which shows what it is. */
  add: (line: CheckedLine) => ChainDefect | undefined;
  /** The defect of the last line, if only a further line would have told it. */
  end: () => ChainDefect | undefined;
  /** `hash` of the last record. */
  head: () => string;
  summary: () => Readonly<{
    records: number;
    chains: number;
    first: string | undefined;
    last: string | undefined;
    open: readonly string[];
  }>;
}>;

type Placed = Readonly<{ record: RecordLink; at: CheckedLine }>;

/**
 * Checks one record after the other: each is byte for byte what its hash says, and continues the one before it.
 *
 * @param from `previous` of the first record
 * @param laterStart whether the first record may stand in the middle of a chain
 */
export function createChainCheck(from: string, laterStart: boolean): ChainCheck {
  const read = createLinkReader();
  const chains = new Set<string>();
  const open = new Set<string>();
  let last: RecordLink | undefined;
  let first: string | undefined;
  let records = 0;
  let suspect: Placed | undefined;

  const head = () => last?.hash ?? from;

  function continues(record: RecordLink): boolean {
    if (record.previous !== head()) return false;
    if (last !== undefined && record.chain === last.chain) return record.seq === last.seq + 1;
    if (last === undefined && laterStart) return true;
    return record.kind === 'start' && record.seq === 1 && !chains.has(record.chain);
  }

  function accept(record: RecordLink): void {
    records += 1;
    first ??= record.time;
    last = record;
    chains.add(record.chain);
    if (record.kind === 'intent') open.add(record.id);
    else if (record.intent !== undefined && record.kind !== 'settled') open.delete(record.intent);
  }

  /** What a record that does not continue the chain tells, seen together with the one behind it. */
  function explain({ record, at }: Placed, next: RecordLink | undefined): ChainDefect {
    const { file, line } = at;
    const { seq } = record;
    const expected = last !== undefined && record.chain === last.chain ? last.seq + 1 : 1;
    const defect = (kind: ChainDefect['kind'], detail: string) => ({ kind, file, line, seq, detail });
    if (last === undefined) {
      return defect('removed', `the journal begins later: give --from ${record.previous} if that is known`);
    }
    if (next?.previous === head()) {
      return next.hash === record.previous
        ? defect('swapped', 'this record and the one behind it are in the wrong order')
        : defect('inserted', 'this record is not part of the chain');
    }
    if (record.previous === last.previous) {
      return defect(
        'inserted',
        'this record and the one before it continue the same one: one of them was put in',
      );
    }
    if (record.chain !== last.chain && chains.has(record.chain)) {
      return defect('inserted', 'this record belongs to an earlier chain');
    }
    if (record.chain === last.chain && seq < expected) {
      return defect('inserted', `this record has seq ${seq} where ${expected} was expected`);
    }
    if (record.chain === last.chain && seq === expected) {
      return defect('changed', 'the record before this one is not the one that this one continues');
    }
    return record.chain === last.chain
      ? defect('removed', `seq ${expected} to ${seq - 1} are missing`)
      : defect('removed', `records are missing between this one and seq ${last.seq} of the chain before`);
  }

  return {
    add(at) {
      const { file, line, text, terminated } = at;
      const record = text === undefined || !terminated ? 'no record' : read(text);
      if (suspect !== undefined) return explain(suspect, typeof record === 'string' ? undefined : record);
      const seq = (last?.seq ?? 0) + 1;
      if (!terminated) {
        return { kind: 'torn', file, line, seq, detail: 'the line has no end; the next start cuts it' };
      }
      if (record === 'no record') {
        return { kind: 'changed', file, line, seq, detail: 'the line is not a record' };
      }
      if (record === 'not as written') {
        return { kind: 'changed', file, line, seq, detail: 'the record does not match its hash' };
      }
      if (continues(record)) accept(record);
      else suspect = { record, at };
      return undefined;
    },
    end: () => (suspect === undefined ? undefined : explain(suspect, undefined)),
    head,
    summary: () => ({
      records,
      chains: chains.size,
      first,
      last: last?.time,
      open: [...open],
    }),
  };
}
