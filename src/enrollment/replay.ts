import type { AppendAudit } from '../audit/record.ts';
import { ProblemError } from '../errors.ts';
import type { CreationWindow } from './creation-window.ts';
import type { IdempotencyRecord, IdempotencyStore } from './idempotency-store.ts';
import { toOpenProblem } from './open-problem.ts';

/** Reads with the caller's own Graph token whether a creation in that window is there, that of the request with the id `first`. */
export type SettleUnknown = (window: CreationWindow, first: string) => Promise<boolean>;

/** What is known of an operation that was not run again; `window`: when its creation happened. */
export type Repetition = Readonly<{ window?: CreationWindow }>;

/**
 * Gives the outcome of an earlier request again. One that is open is settled first, if it can be: that is recorded, and at
 * most once, since the key is marked as under way meanwhile.
 */
type Replay = (key: string, record: IdempotencyRecord, settleUnknown?: SettleUnknown) => Promise<Repetition>;

export function createReplay({
  store,
  append,
}: Readonly<{ store: IdempotencyStore; append: AppendAudit }>): Replay {
  const settle = async (
    { outcome, intent, requestId }: IdempotencyRecord,
    settleUnknown: SettleUnknown | undefined,
  ): Promise<boolean> => {
    const window = 'window' in outcome ? outcome.window : undefined;
    const isDone = outcome.result === 'unrecorded' || (window && (await settleUnknown?.(window, requestId)));
    if (isDone) await append({ kind: 'settled', intent, result: 'success' });
    return isDone ?? false;
  };

  return async (key, record, settleUnknown) => {
    const { outcome } = record;
    if (outcome.result === 'failed') throw new ProblemError(outcome.code);
    const repetition = outcome.window ? { window: outcome.window } : {};
    if (outcome.result === 'success') return repetition;

    let settled = record;
    try {
      if (await settle(record, settleUnknown))
        settled = { ...record, outcome: { result: 'success', ...repetition } };
    } finally {
      // Whatever happened, it is no longer under way.
      await store.keep(key, settled);
    }
    if (settled !== record) return repetition;
    throw toOpenProblem(outcome.result === 'unknown' ? outcome.code : undefined);
  };
}
