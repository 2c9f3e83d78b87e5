import type { Line } from './line.ts';

/** The lines of the keys of one policy, in bounded memory. Every operation takes constant time. */
export type LineStore = Readonly<{
  /** `undefined` for a key that is not held: its quota is whole. */
  read: (key: string) => Line | undefined;
  write: (key: string, line: Line, now: number) => void;
  size: () => number;
}>;

/** A link of a ring; alone it is a ring of one. */
class Entry {
  readonly key: string;
  line: Line | undefined;
  ring: Ring | undefined;
  previous: Entry = this;
  next: Entry = this;

  constructor(key: string) {
    this.key = key;
  }
}

/** Entries in the order of their last write, the oldest after `head`, which is none itself. */
type Ring = { readonly head: Entry; size: number };

/**
 * A full store has to forget, and forgetting a key gives its quota back. Keys that have spent more than half of it
 * are therefore kept apart, each half bounded by itself: a flood of fresh keys pushes out only fresh keys, and whoever
 * wants a spent one forgotten has to spend half the quota of `maxKeys / 2` others within one window.
 * In either half the key written longest ago goes first, and those that have recovered go without need.
 */
export function createLineStore({
  maxKeys,
  window,
}: Readonly<{ maxKeys: number; window: number }>): LineStore {
  const entries = new Map<string, Entry>();
  const fresh = createRing();
  const spent = createRing();
  const capacity = Math.max(1, Math.floor(maxKeys / 2));

  const forget = (entry: Entry): void => {
    unlink(entry);
    entries.delete(entry.key);
  };

  const forgetOldest = (ring: Ring, now: number): void => {
    const oldest = ring.head.next;
    if (ring.size > capacity || (oldest.line !== undefined && oldest.line.arrival <= now)) forget(oldest);
  };

  return {
    read: (key) => entries.get(key)?.line,
    write: (key, line, now) => {
      const entry = entries.get(key) ?? new Entry(key);
      entry.line = line;
      unlink(entry);
      append(line.arrival - now > window / 2 ? spent : fresh, entry);
      entries.set(key, entry);
      forgetOldest(fresh, now);
      forgetOldest(spent, now);
    },
    size: () => entries.size,
  };
}

function createRing(): Ring {
  return { head: new Entry(''), size: 0 };
}

function append(ring: Ring, entry: Entry): void {
  const { head } = ring;
  entry.ring = ring;
  entry.previous = head.previous;
  entry.next = head;
  head.previous.next = entry;
  head.previous = entry;
  ring.size += 1;
}

function unlink(entry: Entry): void {
  if (entry.ring === undefined) return;
  entry.previous.next = entry.next;
  entry.next.previous = entry.previous;
  entry.ring.size -= 1;
}
