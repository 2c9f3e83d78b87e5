import { LRUCache } from 'lru-cache';
import { isOpen, KEY_LIFETIME, type IdempotencyRecord, type IdempotencyStore } from './idempotency-store.ts';

type MemoryStoreOptions = Readonly<{ now?: () => number; maxRecords?: number }>;

/** Records of one process: bounded, the least recently used out first; about 500 bytes each. */
export function createMemoryIdempotencyStore({
  now = Date.now,
  maxRecords = 100_000,
}: MemoryStoreOptions = {}): IdempotencyStore {
  const records = new LRUCache<string, IdempotencyRecord>({
    max: maxRecords,
    ttl: KEY_LIFETIME,
    ttlResolution: 0,
    perf: { now: () => now() + 1 },
  });
  // Bounded by the requests under way.
  const underWay = new Map<string, string>();

  return {
    claim: async (key, fingerprint) => {
      const running = underWay.get(key);
      if (running !== undefined) return { kind: 'under_way', fingerprint: running };
      const record = records.get(key);
      if (!record || (isOpen(record) && record.fingerprint === fingerprint)) underWay.set(key, fingerprint);
      return record ? { kind: 'known', record } : { kind: 'first' };
    },
    keep: async (key, record) => {
      records.set(key, record);
      underWay.delete(key);
    },
    release: async (key) => {
      underWay.delete(key);
    },
  };
}
