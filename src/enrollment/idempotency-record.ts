import { createHash } from 'node:crypto';
import type { IntentEvent, OutcomeEvent } from '../audit/record.ts';
import type { Caller } from '../caller/caller.ts';
import { PROBLEMS, type ProblemCode } from '../errors.ts';
import type { Audited } from './audited.ts';
import { LATE_ACT } from './creation-window.ts';
import type { IdempotencyRecord } from './idempotency-store.ts';

const sha256 = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex');

/** The key as it is stored and audited: bound to the caller and the route, unreadable. */
export const toKeyHash = (
  key: string,
  { tenantId, objectId, clientId }: Caller,
  { action, resource }: IntentEvent,
): string => sha256(tenantId, objectId, clientId, action, resource.set, resource.id, key);

/** What was asked, as one hash. */
export const toFingerprint = ({ parameters }: Pick<IntentEvent, 'parameters'>): string =>
  sha256(JSON.stringify(Object.entries(parameters).toSorted(([a], [b]) => (a < b ? -1 : 1))));

/**
 * The refusals of Graph's that stand: asking again gives the same. Everything else by which nothing was done frees the key; an
 * answer that is not the documented one never shows that, and the journals of earlier versions hold some as failures.
 */
const LASTING: ReadonlySet<ProblemCode> = new Set([
  'graph_rejected',
  'graph_forbidden',
  'profile_not_found',
  'graph_conflict',
  'upstream_invalid',
]);

/** What is kept of a first request; `undefined` when its key is free again. */
export function toRecord(
  { intent, outcome, recorded }: Audited,
  fingerprint: string,
): IdempotencyRecord | undefined {
  const base = { fingerprint, intent: intent.id, requestId: intent.requestId };
  if (outcome.result === 'success') {
    const { window } = outcome;
    return { ...base, outcome: { result: recorded ? 'success' : 'unrecorded', ...(window && { window }) } };
  }
  const { code } = outcome.problem;
  if (outcome.result === 'unknown') {
    return {
      ...base,
      outcome: { result: 'unknown', code, ...(outcome.window && { window: outcome.window }) },
    };
  }
  return LASTING.has(code) ? { ...base, outcome: { result: 'failed', code } } : undefined;
}

/** An intent that an earlier process left in the journal, with what became of it. */
export type PastOutcome = Readonly<{
  intent: Pick<IntentEvent, 'parameters' | 'requestId'> & Readonly<{ id: string; time: string }>;
  outcome?: Pick<OutcomeEvent, 'result' | 'code'> & Readonly<{ time: string }>;
  settled?: Readonly<{ time: string }>;
  /** When the next creation on the profile began, in milliseconds since the epoch. */
  nextAt?: number;
  /** Until when an earlier creation on the profile, whose answer was lost, may still act; milliseconds since the epoch. */
  earlierOpenUntil?: number;
}>;

const isProblemCode = (code: string | undefined): code is ProblemCode =>
  code !== undefined && Object.hasOwn(PROBLEMS, code);

/** The same from the journal of an earlier process. `lostAfterMs`: how long after its intent that process may have sent. */
export function toPastRecord(
  { intent, outcome, settled, nextAt, earlierOpenUntil }: PastOutcome,
  lostAfterMs: number,
): IdempotencyRecord | undefined {
  const { id, requestId } = intent;
  const base = { fingerprint: toFingerprint(intent), intent: id, requestId };
  const sentAt = Date.parse(intent.time);
  const begin = {
    sentAt,
    ...(nextAt !== undefined && { nextAt }),
    ...(earlierOpenUntil !== undefined && { earlierOpenUntil }),
  };
  // Written late, when the disk came back, a record says nothing of when it happened: no later than the request could last.
  const toEnd = (record: Readonly<{ time: string }>, latest: number) =>
    Math.min(Date.parse(record.time), latest);
  const done = outcome?.result === 'success' ? outcome : settled;
  if (done !== undefined) {
    const until = toEnd(done, sentAt + lostAfterMs);
    return { ...base, outcome: { result: 'success', window: { ...begin, until } } };
  }
  if (outcome?.result === 'failed') {
    return isProblemCode(outcome.code) && LASTING.has(outcome.code)
      ? { ...base, outcome: { result: 'failed', code: outcome.code } }
      : undefined;
  }
  // What that process wrote to the profile earlier ended before the intent, and what it wrote later began after `nextAt`.
  const latest = sentAt + lostAfterMs + LATE_ACT;
  const until = outcome ? toEnd(outcome, latest) : latest;
  const code = isProblemCode(outcome?.code) ? outcome.code : 'outcome_unknown';
  return { ...base, outcome: { result: 'unknown', code, window: { ...begin, previousAt: sentAt, until } } };
}
