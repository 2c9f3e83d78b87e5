import type { AuditRecord, IntentEvent, OutcomeEvent, RecoveredEvent, SettledEvent } from './record.ts';

/** An intent with what became of it, as far as the journal says. Open: neither `outcome` nor `recovered`. */
export type PastIntent = Readonly<{
  intent: AuditRecord<IntentEvent>;
  outcome?: AuditRecord<OutcomeEvent>;
  recovered?: AuditRecord<RecoveredEvent>;
  settled?: AuditRecord<SettledEvent>;
}>;

export type ClosingRecord =
  AuditRecord<OutcomeEvent> | AuditRecord<RecoveredEvent> | AuditRecord<SettledEvent>;

/** The intent with one more record about it. */
export function withClosing(past: PastIntent, record: ClosingRecord): PastIntent {
  return { ...past, [record.kind]: record };
}
