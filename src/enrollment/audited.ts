import type { AppendAudit, AuditRecord, IntentEvent, OutcomeEvent } from '../audit/record.ts';
import { ProblemError, toProblem } from '../errors.ts';
import type { Mutable } from '../mutable.ts';
import type { WriteOutcome } from './write-outcome.ts';

/** A settled operation and the record of its intent. */
export type Audited = Readonly<{
  intent: AuditRecord<IntentEvent>;
  outcome: WriteOutcome;
  recorded: boolean;
}>;

/** The outcome as the journal keeps it. */
export function toOutcomeEvent(intent: string, outcome: WriteOutcome): OutcomeEvent {
  const { result, upstream } = outcome;
  if (outcome.result === 'success') {
    const { status = 204, tokenFingerprint } = outcome;
    const event: Mutable<OutcomeEvent> = { kind: 'outcome', intent, result, status, upstream };
    if (tokenFingerprint !== undefined) event.tokenFingerprint = tokenFingerprint;
    return event;
  }
  const { status, code } = outcome.problem;
  return { kind: 'outcome', intent, result, status, code, upstream };
}

/**
 * The order that nothing may break: the intent is durable before `act` begins, the outcome before anything is answered.
 * Rejects with `audit_unavailable` when the intent could not be written: then nothing was done.
 */
export async function withAudit(
  append: AppendAudit,
  intentEvent: IntentEvent,
  act: (intent: AuditRecord<IntentEvent>) => Promise<WriteOutcome>,
  now: () => number = Date.now,
): Promise<Audited> {
  const intent = await append(intentEvent);
  const startedAt = Date.parse(intent.time);
  let outcome: WriteOutcome;
  try {
    outcome = await act(intent);
  } catch (error) {
    // A crash of ours, somewhere between the intent and the answer: nobody knows how far it went.
    const upstream = { attempts: 0, durationMs: Math.max(0, now() - startedAt) };
    outcome = { result: 'unknown', problem: toProblem(error), upstream };
  }
  try {
    await append(toOutcomeEvent(intent.id, outcome));
    return { intent, outcome, recorded: true };
  } catch {
    return { intent, outcome, recorded: false };
  }
}

/**
 * Throws what the caller must be told instead of a success; returns for a success that is on record. A failure is told even if it
 * is not: nothing was done, and `outcome_unrecorded` would say the contrary. The journal adds it later as it was told.
 */
export function requireSuccess({ outcome, recorded }: Audited): void {
  if (outcome.result === 'failed') throw outcome.problem;
  if (!recorded) throw new ProblemError('outcome_unrecorded');
  if (outcome.result === 'unknown') throw outcome.problem;
}
