import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Caller } from './caller.ts';
import type { KeySet } from './key-set.ts';

/** A user disabled at Entra is turned away by the exchange; a key withdrawn, by the key set. This only bounds the rest. */
const MAX_AGE_MS = 5 * 60 * 1_000;
/**
 * The tenant tier as it comes lets 3 000 callers pass in the life of an entry; this is for whoever raises it. About 2 KB each;
 * nobody but Entra can make one.
 */
const MAX_ENTRIES = 60_000;

type Entry = Readonly<{ caller: Caller; keySet: KeySet; at: number }>;

/** Callers whose tokens were verified before. Keyed by SHA-256 of the whole token: two tokens never share an entry. */
export type VerifiedTokens = Readonly<{
  read: (token: string) => Caller | undefined;
  write: (token: string, caller: Caller, keySet: KeySet) => void;
}>;

/**
 * An entry lives until `exp`, 5 minutes at most, and no longer than the key set that verified it is the current one of
 * its tenant: a change empties the cache without anybody having to say so, verifications under way included.
 */
export function createVerifiedTokens({
  currentKeySet,
  now,
}: Readonly<{
  currentKeySet: (tenantId: string) => KeySet | undefined;
  now: () => number;
}>): VerifiedTokens {
  const entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES });

  function isGood({ caller, keySet, at }: Entry): boolean {
    const elapsed = now() - at;
    const isYoung = elapsed >= 0 && elapsed < MAX_AGE_MS && now() < caller.expiresAt;
    return isYoung && currentKeySet(caller.tenantId) === keySet;
  }

  return {
    read(token) {
      const key = toKey(token);
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (isGood(entry)) return entry.caller;
      entries.delete(key);
      return undefined;
    },
    write(token, caller, keySet) {
      const entry = { caller, keySet, at: now() };
      if (isGood(entry)) entries.set(toKey(token), entry);
    },
  };
}

function toKey(token: string): string {
  return hash('sha256', token, 'base64');
}
