import { hash as digest } from 'node:crypto';
import { toCanonicalMembers } from './canonical-json.ts';
import { SHAPES } from './clean-event.ts';
import type { AuditEvent, RecordSeal } from './record.ts';

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

const SEALED = ['v', 'chain', 'seq', 'time', 'id', 'previous'];

/** The members of a record of this kind in canonical order, those before `hash` and those behind it. */
type Names = Readonly<{ before: readonly string[]; behind: readonly string[] }>;

function toNames(kind: AuditEvent['kind']): Names {
  const names = [...Object.keys(SHAPES[kind]), ...SEALED].toSorted();
  return { before: names.filter((name) => name < 'hash'), behind: names.filter((name) => name > 'hash') };
}

/** One chain: all records of one process, the first continuing `previous`. */
export function createChain(chain: string, previous: string): Chain {
  let head: ChainHead = { hash: previous, seq: 0 };
  let clock = { time: Number.NaN, text: '' };
  const namesOf = new Map<AuditEvent['kind'], Names>();

  function toTimestamp(time: number): string {
    if (time !== clock.time) clock = { time, text: new Date(time).toISOString() };
    return clock.text;
  }

  function readNames(kind: AuditEvent['kind']): Names {
    const names = namesOf.get(kind) ?? toNames(kind);
    namesOf.set(kind, names);
    return names;
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
      // Not by two spreads, which cost more than all the rest of a seal (docs/decisions/hot-path.md).
      const record = Object.assign({}, event, unsealed);
      const names = readNames(event.kind);
      const before = toCanonicalMembers(record, names.before);
      const behind = toCanonicalMembers(record, names.behind);
      const hash = toRecordHash(`{${before},${behind}}`);
      head = { hash, seq: unsealed.seq };
      // In its place among the sorted members, so that the whole line is canonical too.
      return { seal: { ...unsealed, hash }, line: `{${before},"hash":"${hash}",${behind}}\n` };
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
