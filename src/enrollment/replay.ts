import type { AppendAudit } from '../audit/record.ts';
import { ProblemError, toProblem } from '../errors.ts';
import type { CreationWindow } from './creation-window.ts';
import type { IdempotencyRecord, IdempotencyStore } from './idempotency-store.ts';
import { isForCaller, toOpenProblem } from './open-problem.ts';

/**
 * Reads with the caller's own Graph token whether a creation in that window is there, that of the request with the id `first`:
 * the window as far as it is known then, else `undefined`.
 */
export type SettleUnknown = (window: CreationWindow, first: string) => Promise<CreationWindow | undefined>;

/** What is known of an operation that was not run again; `window`: when its creation happened; `first`: the id of its request. */
export type Repetition = Readonly<{ window?: CreationWindow; first: string }>;

type Outcome = IdempotencyRecord['outcome'];
type Unrecorded = Extract<Outcome, { result: 'unrecorded' }>;
type Open = Unrecorded | Extract<Outcome, { result: 'unknown' }>;

/**
 * Gives the outcome of an earlier request again. One that is open is settled first, if it can be: that is recorded, and at
 * most once, since the key is marked as under way meanwhile.
 */
type Replay = (key: string, record: IdempotencyRecord, settleUnknown?: SettleUnknown) => Promise<Repetition>;

export function createReplay({
  store,
  append,
}: Readonly<{ store: IdempotencyStore; append: AppendAudit }>): Replay {
  /** What is known of an open operation now. Whatever fails here, that it may have been done must not be denied. */
  const look = async (
    outcome: Open,
    first: string,
    settleUnknown: SettleUnknown | undefined,
  ): Promise<Unrecorded> => {
    if (outcome.result === 'unrecorded') return outcome;
    const { window, code } = outcome;
    let seen: CreationWindow | undefined;
    try {
      seen = window && (await settleUnknown?.(window, first));
    } catch (error) {
      const problem = toProblem(error);
      throw isForCaller(problem) ? problem : toOpenProblem(code, problem);
    }
    if (!seen) throw toOpenProblem(code);
    return { result: 'unrecorded', window: seen };
  };

  return async (key, record, settleUnknown) => {
    const { outcome, intent, requestId: first } = record;
    if (outcome.result === 'failed') throw new ProblemError(outcome.code);
    if (outcome.result === 'success') return toRepetition(outcome.window, first);

    let known: Outcome = outcome;
    try {
      known = await look(outcome, first, settleUnknown);
      const { window } = known;
      await append({ kind: 'settled', intent, result: 'success' }).catch((cause: unknown) => {
        throw new ProblemError('outcome_unrecorded', undefined, { cause });
      });
      known = window ? { result: 'success', window } : { result: 'success' };
      return toRepetition(window, first);
    } finally {
      // Whatever happened, it is no longer under way.
      await store.keep(key, { ...record, outcome: known });
    }
  };
}

const toRepetition = (window: CreationWindow | undefined, first: string): Repetition =>
  window ? { window, first } : { first };
