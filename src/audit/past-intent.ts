import type { AuditRecord, IntentEvent, OutcomeEvent, RecoveredEvent, SettledEvent } from './record.ts';

/** How an intent ended, as far as the journal says. */
export type Ending = Readonly<{
  outcome?: AuditRecord<OutcomeEvent>;
  recovered?: AuditRecord<RecoveredEvent>;
  settled?: AuditRecord<SettledEvent>;
}>;

/** An intent with what became of it. Open: neither `outcome` nor `recovered`. */
export type PastIntent = Ending &
  Readonly<{
    intent: AuditRecord<IntentEvent>;
    /** When the next creation on the same profile was intended, after this one; milliseconds since the epoch. */
    nextAt?: number;
  }>;

export type ClosingRecord =
  AuditRecord<OutcomeEvent> | AuditRecord<RecoveredEvent> | AuditRecord<SettledEvent>;

export function isOpen({ outcome, recovered }: Ending): boolean {
  return outcome === undefined && recovered === undefined;
}

/** The ending with one more record about the same intent. */
export function withClosing(ending: Ending, record: ClosingRecord): Ending {
  return { ...ending, [record.kind]: record };
}
