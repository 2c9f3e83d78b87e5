import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { PROBLEMS, ProblemError, type ProblemCode } from '../errors.ts';
import { createOwner, type RedisClaims } from '../limits/redis-claims.ts';
import {
  isOpen,
  type IdempotencyClaim,
  type IdempotencyRecord,
  type IdempotencyStore,
} from './idempotency-store.ts';

type SharedStoreOptions = Readonly<{
  claims: RedisClaims;
  /** This process' own records: what it knows stands even while Redis is gone. */
  local: IdempotencyStore;
}>;

/** Records and releases kept for Redis' return; what is dropped ends as an unknown outcome for the other replicas. */
const MOST_UNTOLD = 10_000;

/** Seconds after which Redis is worth another try. */
const RETRY_AFTER_SECONDS = 5;

/**
 * Records shared by all replicas, so that two of them cannot both send. While Redis is gone a key whose record is in this process
 * still counts; any other is refused with ProblemError `idempotency_unavailable`. What Redis could not be told (a record, a claim
 * given up) is told with the next claim; until then the other replicas see a claim under way and, later, an unknown outcome.
 */
export function createSharedIdempotencyStore({ claims, local }: SharedStoreOptions): IdempotencyStore {
  /** Bounded by the requests under way. */
  const owners = new Map<string, string>();
  const untold = new LRUCache<string, () => Promise<void>>({ max: MOST_UNTOLD });
  let telling = false;

  const tell = async (key: string, send: () => Promise<void>): Promise<void> => {
    try {
      await send();
      untold.delete(key);
    } catch {
      untold.set(key, send);
    }
  };

  const tellUntold = async (): Promise<void> => {
    if (telling) return;
    telling = true;
    for (const [key, send] of untold.entries()) await tell(key, send);
    telling = false;
  };

  /** Ends the mark that `local.claim` may have set. */
  const giveUpHere = (key: string, here: IdempotencyClaim): Promise<void> =>
    here.kind === 'known' ? local.keep(key, here.record) : local.release(key);

  return {
    claim: async (key, fingerprint) => {
      const here = await local.claim(key, fingerprint);
      if (here.kind === 'under_way' || (here.kind === 'known' && !isOpen(here.record))) return here;

      const owner = createOwner();
      try {
        await untold.get(key)?.();
        untold.delete(key);
        const claim = await claims.claim(key, fingerprint, owner);
        void tellUntold();
        switch (claim.kind) {
          case 'first': // or forgotten there, and known here
            owners.set(key, owner);
            return here;
          case 'under_way':
            await giveUpHere(key, here);
            return claim;
          case 'abandoned':
            if (here.kind === 'known') return here;
            await local.release(key);
            return { kind: 'known', record: toAbandoned(claim.fingerprint) };
          case 'known': {
            const record = parseRecord(claim.value);
            if (isOpen(record) && record.fingerprint === fingerprint) owners.set(key, owner);
            else await local.keep(key, record);
            return { kind: 'known', record };
          }
        }
      } catch (cause) {
        // Only now: the claim may be made and its answer lost. What still could not be told goes first.
        if (!untold.has(key)) untold.set(key, () => claims.release(key, owner));
        if (here.kind === 'known') return here;
        await local.release(key);
        throw new ProblemError('idempotency_unavailable', undefined, {
          cause,
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        });
      }
    },
    keep: async (key, record) => {
      await local.keep(key, record);
      owners.delete(key);
      const value = { fingerprint: record.fingerprint, open: isOpen(record), value: JSON.stringify(record) };
      await tell(key, () => claims.keep(key, value));
    },
    release: async (key) => {
      await local.release(key);
      const owner = owners.get(key);
      owners.delete(key);
      if (owner !== undefined) await tell(key, () => claims.release(key, owner));
    },
  };
}

/** Another replica began and never said how it ended; without its intent nothing can settle that. */
function toAbandoned(fingerprint: string): IdempotencyRecord {
  return { fingerprint, intent: '', requestId: '', outcome: { result: 'unknown', code: 'outcome_unknown' } };
}

const CODE = z.custom<ProblemCode>((code) => typeof code === 'string' && Object.hasOwn(PROBLEMS, code));

const WINDOW = z
  .object({
    sentAt: z.number(),
    previousAt: z.number().exactOptional(),
    earlierOpenUntil: z.number().exactOptional(),
    until: z.number(),
    nextAt: z.number().exactOptional(),
    shownAt: z.number().exactOptional(),
  })
  .exactOptional();

const RECORD = z.object({
  fingerprint: z.string(),
  intent: z.string(),
  requestId: z.string(),
  outcome: z.discriminatedUnion('result', [
    z.object({ result: z.literal('success'), window: WINDOW }),
    z.object({ result: z.literal('unrecorded'), window: WINDOW }),
    z.object({ result: z.literal('failed'), code: CODE }),
    z.object({ result: z.literal('unknown'), code: CODE, window: WINDOW }),
  ]),
});

function parseRecord(value: string): IdempotencyRecord {
  return RECORD.parse(JSON.parse(value));
}
