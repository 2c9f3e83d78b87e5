import type { AppendAudit, IntentEvent } from '../audit/record.ts';
import { ProblemError } from '../errors.ts';
import { requireSuccess, type Audited } from './audited.ts';
import { toFingerprint, toKeyHash, toPastRecord, toRecord, type PastOutcome } from './idempotency-record.ts';
import type { IdempotencyRecord, IdempotencyStore } from './idempotency-store.ts';
import type { OperationRequest } from './enrollment.ts';
import { toOpenProblem } from './open-problem.ts';
import { toProfileKey } from './profile-writes.ts';
import { createReplay, type Repetition, type SettleUnknown } from './replay.ts';

type IdempotentOptions = Readonly<{
  store: IdempotencyStore;
  append: AppendAudit;
  /** Looks for a key of an earlier process in the audit journal; `profile`: the profile's key. */
  findPast: (keyHash: string, profile: string) => PastOutcome | undefined;
  /** Milliseconds after its intent in which a process that died may have sent its request. */
  requestDeadlineMs: number;
}>;

/**
 * Runs an operation at most once for each `Idempotency-Key` of a caller on a route (contract 6.4): `first` for the first
 * request, its outcome again for the next ones, told by the {@link Repetition}. Without a key it just runs.
 */
export type Idempotent = (
  request: OperationRequest,
  event: IntentEvent,
  first: (event: IntentEvent) => Promise<Audited>,
  settleUnknown?: SettleUnknown,
) => Promise<Repetition | undefined>;

/** Seconds after which a request with the same key is worth another try. */
const UNDER_WAY_RETRY_AFTER = 2;

export function createIdempotent({
  store,
  append,
  findPast,
  requestDeadlineMs,
}: IdempotentOptions): Idempotent {
  const replay = createReplay({ store, append });
  const takenUp = new Set<string>();
  const toUnderWay = () =>
    new ProblemError('request_in_progress', undefined, { retryAfterSeconds: UNDER_WAY_RETRY_AFTER });

  const runFirst = async (
    key: string,
    fingerprint: string,
    run: () => Promise<Audited>,
  ): Promise<undefined> => {
    let audited: Audited;
    try {
      audited = await run();
    } catch (error) {
      // Not even the intent was recorded: nothing was done.
      await store.release(key);
      throw error;
    }
    const record = toRecord(audited, fingerprint);
    await (record ? store.keep(key, record) : store.release(key));
    requireSuccess(audited);
    return undefined;
  };

  /** What an earlier process of this directory recorded under a key; that process is gone for certain. */
  const toRecordBefore = (key: string, { caller, profile }: OperationRequest) => {
    const past = findPast(key, toProfileKey(caller, profile));
    return past && toPastRecord(past, requestDeadlineMs);
  };

  /** Keeps it, and claims it anew: an open record is under way while it is settled. Alone, or it would undo another's claim. */
  const takeUpPast = async (key: string, past: IdempotencyRecord, fingerprint: string) => {
    if (takenUp.has(key)) throw toUnderWay();
    takenUp.add(key);
    try {
      await store.keep(key, past);
      requireSame(past.fingerprint, fingerprint);
      const claim = await store.claim(key, fingerprint);
      if (claim.kind === 'under_way') throw toUnderWay();
      return claim.kind === 'known' ? claim.record : past;
    } finally {
      takenUp.delete(key);
    }
  };

  return async (request, event, first, settleUnknown) => {
    if (request.idempotencyKey === undefined) {
      requireSuccess(await first(event));
      return undefined;
    }

    const key = toKeyHash(request.idempotencyKey, request.caller, event);
    const fingerprint = toFingerprint(event);
    const takeUp = async (past: IdempotencyRecord): Promise<Repetition> => {
      const known = await takeUpPast(key, past, fingerprint);
      return replay(key, known, settleUnknown);
    };
    const claim = await store.claim(key, fingerprint);
    switch (claim.kind) {
      case 'under_way':
        requireSame(claim.fingerprint, fingerprint);
        throw toUnderWay();
      case 'known':
        requireSame(claim.record.fingerprint, fingerprint);
        return replay(key, claim.record, settleUnknown);
      case 'abandoned': {
        requireSame(claim.fingerprint, fingerprint);
        const record = toRecordBefore(key, request);
        // Of another replica, which may still end it.
        if (!record) throw toOpenProblem();
        return takeUp(record);
      }
      case 'first': {
        const record = toRecordBefore(key, request);
        if (!record) return runFirst(key, fingerprint, () => first({ ...event, idempotencyKeyHash: key }));
        return takeUp(record);
      }
    }
  };
}

function requireSame(found: string, fingerprint: string): void {
  if (found !== fingerprint) throw new ProblemError('idempotency_key_reused');
}
