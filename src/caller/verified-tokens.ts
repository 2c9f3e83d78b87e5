import { LRUCache } from 'lru-cache';
import type { Identity } from './caller.ts';
import type { KeySet } from './key-set.ts';

/** A user disabled at Entra is turned away by the exchange; a key withdrawn, by the key set. This only bounds the rest. */
const MAX_AGE_MS = 5 * 60 * 1_000;
/**
 * The tenant tier as it comes lets 3 000 callers pass in the life of an entry; this is for whoever raises it. Nobody but
 * Entra can make one.
 */
const MAX_ENTRIES = 60_000;
/** What an entry takes beside its texts of free length, measured: the other claims, their objects, the places in the cache. */
const ENTRY_BYTES = 700;
/** So many entries of usual names and scopes, and fewer of longer ones. */
const MAX_BYTES = MAX_ENTRIES * 1_024;
/** More than come with one write, and few enough for nobody to notice. */
const MAX_PURGED = 500;

/** `until` is the end of its life, in milliseconds as `at`. */
type Entry = Readonly<{ identity: Identity; keySet: KeySet; at: number; until: number }>;

/** Who the tokens name that were verified before, by the SHA-256 of each: two tokens never share an entry, and none is kept. */
export type VerifiedTokens = Readonly<{
  read: (tokenHash: string) => Identity | undefined;
  write: (tokenHash: string, identity: Identity, keySet: KeySet) => void;
  /** Entries held, those included that live no more. */
  size: () => number;
}>;

/**
 * An entry lives until `exp`, 5 minutes at most, and no longer than the key set that verified it is the current one of
 * its tenant: a change empties the cache without anybody having to say so, verifications under way included.
 *
 * Reading moves nothing, so entries stand in the order of their ages: each write takes away those at the old end that live
 * no more, since they hold names of people, and needs no look at the rest.
 */
export function createVerifiedTokens({
  currentKeySet,
  now,
}: Readonly<{
  currentKeySet: (tenantId: string) => KeySet | undefined;
  now: () => number;
}>): VerifiedTokens {
  const entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES, maxSize: MAX_BYTES });

  function isGood({ identity, keySet, at, until }: Entry): boolean {
    const time = now();
    return time >= at && time < until && currentKeySet(identity.tenantId) === keySet;
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
    read(tokenHash) {
      const entry = entries.peek(tokenHash);
      if (entry === undefined) return undefined;
      if (isGood(entry)) return entry.identity;
      entries.delete(tokenHash);
      return undefined;
    },
    write(tokenHash, identity, keySet) {
      purge();
      const at = now();
      const entry = { identity, keySet, at, until: Math.min(at + MAX_AGE_MS, identity.expiresAt) };
      if (isGood(entry)) entries.set(tokenHash, entry, { size: toBytes(identity) });
    },
    size: () => entries.size,
  };
}

function toBytes({ userPrincipalName = '', tokenId = '', scopes }: Identity): number {
  return ENTRY_BYTES + userPrincipalName.length + tokenId.length + scopes.join(' ').length;
}
