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
  /** Milliseconds until what Redis could not be told is tried again. */
  retryMs?: number;
}>;

export type SharedIdempotencyStore = IdempotencyStore &
  Readonly<{
    /** Before a stop: tells Redis what it could not be told before, if it can be told now. */
    close: () => Promise<void>;
  }>;

/** Records and releases kept for Redis' return; what is dropped ends as an unknown outcome for the other replicas. */
const MOST_UNTOLD = 10_000;

/** Seconds after which Redis is worth another try. */
const RETRY_AFTER_SECONDS = 5;

/**
 * Records shared by all replicas, so that two of them cannot both send. While Redis is gone a key whose record is in this process
 * still counts; any other is refused with ProblemError `idempotency_unavailable`. What Redis could not be told (a record, a claim
 * given up) it is told soon after its return; until then the other replicas see a claim under way and, later, an unknown outcome.
 */
export function createSharedIdempotencyStore({
  claims,
  local,
  retryMs = 500,
}: SharedStoreOptions): SharedIdempotencyStore {
  /** Bounded by the requests under way. */
  const owners = new Map<string, string>();
  const untold = new LRUCache<string, Send>({ max: MOST_UNTOLD });
  let telling: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const tell = async (key: string, send: Send): Promise<void> => {
    await send();
    // Not what has come in its place meanwhile.
    if (untold.peek(key) === send) untold.delete(key);
  };

  /** Ends with the first failure, because Redis is asked in vain then. */
  const tellAll = async (): Promise<void> => {
    const waiting = [...untold.entries()];
    try {
      for (const [key, send] of waiting) if (untold.peek(key) === send) await tell(key, send);
    } catch {
      retryLater();
    } finally {
      telling = undefined;
    }
  };

  const tellUntold = (): Promise<void> => (telling ??= tellAll());

  const retryLater = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void tellUntold();
    }, retryMs).unref();
  };

  /** Noted before it is sent: a claim of the same key that comes meanwhile has to wait until it was told. */
  const tellSoon = async (key: string, send: Send): Promise<void> => {
    untold.set(key, send);
    await tell(key, send).catch(retryLater);
  };

  /** Ends the mark that `local.claim` may have set. */
  const giveUpHere = (key: string, here: IdempotencyClaim): Promise<void> =>
    here.kind === 'known' ? local.keep(key, here.record) : local.release(key);

  return {
    claim: async (key, fingerprint) => {
      const here = await local.claim(key, fingerprint);
      if (here.kind === 'under_way' || (here.kind === 'known' && !isToSettle(here.record, fingerprint))) {
        return here;
      }

      const owner = createOwner();
      const takeBack: Send = () => claims.release(key, owner);
      try {
        const earlier = untold.peek(key);
        if (earlier) await tell(key, earlier);
        const claim = await claims.claim(key, fingerprint, owner);
        if (untold.size > 0) void tellUntold();
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
            return claim;
          case 'known': {
            const record = parseRecord(claim.value);
            if (isToSettle(record, fingerprint)) owners.set(key, owner);
            else await local.keep(key, record);
            return { kind: 'known', record };
          }
        }
      } catch (cause) {
        // The claim may have been made and its answer lost.
        if (here.kind === 'known') {
          owners.set(key, owner);
          return here;
        }
        // What Redis was not told before stays to be told; without it nothing was claimed.
        if (!untold.has(key)) untold.set(key, takeBack);
        retryLater();
        await local.release(key);
        throw new ProblemError('idempotency_unavailable', undefined, {
          cause,
          retryAfterSeconds: RETRY_AFTER_SECONDS,
          costsNothing: true,
        });
      }
    },
    keep: async (key, record) => {
      await local.keep(key, record);
      owners.delete(key);
      const value = { fingerprint: record.fingerprint, open: isOpen(record), value: JSON.stringify(record) };
      await tellSoon(key, () => claims.keep(key, value));
    },
    release: async (key) => {
      await local.release(key);
      const owner = owners.get(key);
      owners.delete(key);
      if (owner !== undefined) await tellSoon(key, () => claims.release(key, owner));
    },
    close: async () => {
      await telling;
      await tellUntold();
      clearTimeout(timer);
    },
  };
}

type Send = () => Promise<void>;

/** Whether who asks so is to settle this record, alone: it is marked as under way. */
function isToSettle(record: IdempotencyRecord, fingerprint: string): boolean {
  return isOpen(record) && record.fingerprint === fingerprint;
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
