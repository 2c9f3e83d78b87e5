import type { AppendAudit } from '../audit/record.ts';
import { ProblemError } from '../errors.ts';
import type { CreationWindow } from './creation-window.ts';
import type { IdempotencyRecord, IdempotencyStore } from './idempotency-store.ts';
import { toOpenProblem } from './open-problem.ts';

/**
 * Reads with the caller's own Graph token whether a creation in that window is there, that of the request with the id `first`:
 * the window as far as it is known then, else `undefined`.
 */
export type SettleUnknown = (window: CreationWindow, first: string) => Promise<CreationWindow | undefined>;

/** What is known of an operation that was not run again; `window`: when its creation happened; `first`: the id of its request. */
export type Repetition = Readonly<{ window?: CreationWindow; first: string }>;

type Success = Extract<IdempotencyRecord['outcome'], { result: 'success' }>;

/**
 * Gives the outcome of an earlier request again. One that is open is settled first, if it can be: that is recorded, and at
 * most once, since the key is marked as under way meanwhile.
 */
type Replay = (key: string, record: IdempotencyRecord, settleUnknown?: SettleUnknown) => Promise<Repetition>;

export function createReplay({
  store,
  append,
}: Readonly<{ store: IdempotencyStore; append: AppendAudit }>): Replay {
  /** The success, once it is known and on record. */
  const settle = async (
    { outcome, intent, requestId }: IdempotencyRecord,
    settleUnknown: SettleUnknown | undefined,
  ): Promise<Success | undefined> => {
    let window = 'window' in outcome ? outcome.window : undefined;
    if (outcome.result !== 'unrecorded') {
      window = window && (await settleUnknown?.(window, requestId));
      if (!window) return undefined;
    }
    await append({ kind: 'settled', intent, result: 'success' });
    return { result: 'success', ...(window && { window }) };
  };

  return async (key, record, settleUnknown) => {
    const { outcome, requestId: first } = record;
    if (outcome.result === 'failed') throw new ProblemError(outcome.code);
    if (outcome.result === 'success') return toRepetition(outcome, first);

    let success: Success | undefined;
    try {
      success = await settle(record, settleUnknown);
    } finally {
      // Whatever happened, it is no longer under way.
      await store.keep(key, success ? { ...record, outcome: success } : record);
    }
    if (success) return toRepetition(success, first);
    throw toOpenProblem(outcome.result === 'unknown' ? outcome.code : undefined);
  };
}

const toRepetition = ({ window }: Success, first: string): Repetition =>
  window ? { window, first } : { first };
