import { hash as digest } from 'node:crypto';
import type { AuditEvent, RecordSeal } from './record.ts';
import { createRecordText } from './record-text.ts';

/** `previous` of the very first record of a directory. */
export const GENESIS_HASH = '0'.repeat(64);

export type SealedEvent = Readonly<{ seal: RecordSeal; line: string }>;

/** The end of the chain: the next record carries `previous = hash` and `seq = seq + 1`. */
export type ChainHead = Readonly<{ hash: string; seq: number }>;

export type Chain = Readonly<{
  /** The event as the next record of the chain, with its line (canonical JSON and a line feed). */
  seal: (event: AuditEvent, time: number, id: string) => SealedEvent;
  head: () => ChainHead;
  /** Goes back to an earlier head: the records sealed after it did not reach the disk. */
  rewind: (head: ChainHead) => void;
}>;

/** One chain: all records of one process, the first continuing `previous`. */
export function createChain(chain: string, previous: string): Chain {
  let head: ChainHead = { hash: previous, seq: 0 };
  let clock = { time: Number.NaN, text: '' };
  const toText = createRecordText();

  function toTimestamp(time: number): string {
    if (time !== clock.time) clock = { time, text: new Date(time).toISOString() };
    return clock.text;
  }

  return {
    seal(event, time, id) {
      const unsealed = {
        v: 1 as const,
        chain,
        seq: head.seq + 1,
        time: toTimestamp(time),
        id,
        previous: head.hash,
      };
      const { before, behind } = toText(event, unsealed);
      const hash = toRecordHash(`{${before},${behind}}`);
      head = { hash, seq: unsealed.seq };
      // In its place among the sorted members, so that the whole line is canonical too.
      return { seal: Object.assign(unsealed, { hash }), line: `{${before},"hash":"${hash}",${behind}}\n` };
    },
    head: () => head,
    rewind(to) {
      head = to;
    },
  };
}

/** SHA-256, lower-case hex, of the canonical text of a record without its `hash`. */
export function toRecordHash(canonicalText: string): string {
  return digest('sha256', canonicalText);
}
