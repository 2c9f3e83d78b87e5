import { LRUCache } from 'lru-cache';
import type { Caller } from '../caller/caller.ts';

/** A bounded cache whose entries belong to users, so that all of one user's can be forgotten at once. */
export type UserEntries<Value extends object> = Readonly<{
  /** `undefined` once its time is up. */
  read: (key: string) => Value | undefined;
  keep: (key: string, value: Value, caller: Caller, milliseconds: number) => void;
  /** Forgets everything of the user (tid and oid). */
  purge: (caller: Caller) => void;
  /** Entries held, those included whose time is up. */
  size: () => number;
}>;

type Entry<Value> = Readonly<{ value: Value; user: string }>;

type UserEntriesOptions = Readonly<{ maxEntries: number; now: () => number }>;

/** More than come with one write, and few enough for nobody to notice. */
const MAX_ENDED = 100;

/**
 * The least recently used goes first. Each operation takes the same time however many users there are.
 *
 * Nobody asks again for what has ended, a token least of all: each write takes away what has at the old end. What stands before it
 * there, unused but alive, lets it stay for no longer than that lives itself.
 */
export function createUserEntries<Value extends object>({
  maxEntries,
  now,
}: UserEntriesOptions): UserEntries<Value> {
  /** Nearly every user has one key, and a set for it would take more than the key. */
  const keysOfUser = new Map<string, string | Set<string>>();

  const rememberKey = (user: string, key: string): void => {
    const keys = keysOfUser.get(user);
    if (keys instanceof Set) keys.add(key);
    else keysOfUser.set(user, keys === undefined || keys === key ? key : new Set([keys, key]));
  };

  const forgetKey = ({ user }: Entry<Value>, key: string): void => {
    const keys = keysOfUser.get(user);
    if (keys instanceof Set) keys.delete(key);
    if (keys === key || (keys instanceof Set && keys.size === 0)) keysOfUser.delete(user);
  };

  const entries = new LRUCache<string, Entry<Value>>({
    max: maxEntries,
    // lru-cache takes a start of 0 for "no start": a clock that begins above it.
    perf: { now: () => now() + 1 },
    ttlResolution: 0,
    dispose: forgetKey,
    // For the keys at the old end only; read gives none.
    allowStale: true,
  });
  const toUser = ({ tenantId, objectId }: Caller): string => `${tenantId}/${objectId}`;

  const forgetEnded = (): void => {
    for (let count = 0; count < MAX_ENDED; count += 1) {
      const { value: oldest } = entries.rkeys().next();
      if (oldest === undefined || entries.getRemainingTTL(oldest) >= 0) return;
      entries.delete(oldest);
    }
  };

  return {
    read: (key) => entries.get(key, { allowStale: false })?.value,
    keep: (key, value, caller, milliseconds) => {
      forgetEnded();
      const user = toUser(caller);
      entries.set(key, { value, user }, { ttl: milliseconds });
      rememberKey(user, key);
    },
    purge: (caller) => {
      const keys = keysOfUser.get(toUser(caller));
      for (const key of typeof keys === 'string' ? [keys] : [...(keys ?? [])]) entries.delete(key);
    },
    size: () => entries.size,
  };
}
