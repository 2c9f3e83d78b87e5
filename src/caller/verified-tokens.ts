import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Caller } from './caller.ts';
import type { KeySet } from './key-set.ts';

/** A user disabled at Entra is turned away by the exchange; a key withdrawn, by the key set. This only bounds the rest. */
const MAX_AGE_MS = 5 * 60 * 1_000;
/**
 * The tenant tier as it comes lets 3 000 callers pass in the life of an entry; this is for whoever raises it. Nobody but
 * Entra can make one.
 */
const MAX_ENTRIES = 60_000;
/** What an entry takes beside its token, measured: the claims, their objects, the places in the cache. */
const ENTRY_BYTES = 1_000;
/** So many entries of 2 KB tokens, and fewer of longer ones. */
const MAX_BYTES = MAX_ENTRIES * (2 * 1_024 + ENTRY_BYTES);
/** More than come with one write, and few enough for nobody to notice. */
const MAX_PURGED = 500;

/** `until` is the end of its life, in milliseconds as `at`. */
type Entry = Readonly<{ caller: Caller; keySet: KeySet; at: number; until: number }>;

/** Callers whose tokens were verified before. Keyed by SHA-256 of the whole token: two tokens never share an entry. */
export type VerifiedTokens = Readonly<{
  read: (token: string) => Caller | undefined;
  write: (token: string, caller: Caller, keySet: KeySet) => void;
  /** Entries held, those included that live no more. */
  size: () => number;
}>;

/**
 * An entry lives until `exp`, 5 minutes at most, and no longer than the key set that verified it is the current one of
 * its tenant: a change empties the cache without anybody having to say so, verifications under way included.
 *
 * Reading moves nothing, so entries stand in the order of their ages: each write takes away those at the old end that live
 * no more, since they hold bearer tokens, and needs no look at the rest.
 */
export function createVerifiedTokens({
  currentKeySet,
  now,
}: Readonly<{
  currentKeySet: (tenantId: string) => KeySet | undefined;
  now: () => number;
}>): VerifiedTokens {
  const entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES, maxSize: MAX_BYTES });

  function isGood({ caller, keySet, at, until }: Entry): boolean {
    const time = now();
    return time >= at && time < until && currentKeySet(caller.tenantId) === keySet;
  }

  function purge(): void {
    for (let count = 0; count < MAX_PURGED; count += 1) {
      const { value: oldest } = entries.rkeys().next();
      const entry = oldest === undefined ? undefined : entries.peek(oldest);
      if (oldest === undefined || entry === undefined || isGood(entry)) return;
      entries.delete(oldest);
    }
  }

  return {
    read(token) {
      const key = toKey(token);
      const entry = entries.peek(key);
      if (entry === undefined) return undefined;
      if (isGood(entry)) return entry.caller;
      entries.delete(key);
      return undefined;
    },
    write(token, caller, keySet) {
      purge();
      const at = now();
      const entry = { caller, keySet, at, until: Math.min(at + MAX_AGE_MS, caller.expiresAt) };
      if (isGood(entry)) entries.set(toKey(token), entry, { size: token.length + ENTRY_BYTES });
    },
    size: () => entries.size,
  };
}

function toKey(token: string): string {
  return hash('sha256', token, 'base64');
}
