import type { ClosingRecord } from './past-intent.ts';
import type { AuditRecord, IntentEvent, OutcomeEvent, SettledEvent } from './record.ts';

/** How an intent ended, as far as a start keeps it. */
export type KeptEnding = Readonly<{
  outcome?: Readonly<Pick<AuditRecord<OutcomeEvent>, 'time' | 'result' | 'code'>>;
  recovered?: Readonly<{ result: 'unknown' }>;
  settled?: AuditRecord<SettledEvent>;
}>;

/**
 * What a start keeps in memory of an intent: what a later request with the same key needs, and no more, about 500 bytes,
 * since there may be as many as keys of a whole day.
 */
export type KeptIntent = KeptEnding &
  Readonly<{
    intent: Readonly<
      Pick<AuditRecord<IntentEvent>, 'id' | 'time' | 'requestId' | 'parameters' | 'idempotencyKeyHash'>
    >;
    /** When the next creation on the same profile was intended, after this one; milliseconds since the epoch. */
    nextAt?: number;
  }>;

export function toKeptIntent(record: AuditRecord<IntentEvent>): KeptIntent {
  const { id, time, requestId, parameters, idempotencyKeyHash } = record;
  return {
    intent: {
      id,
      time,
      requestId,
      parameters,
      ...(idempotencyKeyHash !== undefined && { idempotencyKeyHash }),
    },
  };
}

/** The ending with one more record about the same intent. */
export function withKeptClosing(ending: KeptEnding, record: ClosingRecord): KeptEnding {
  switch (record.kind) {
    case 'outcome': {
      const { time, result, code } = record;
      return { ...ending, outcome: { time, result, ...(code !== undefined && { code }) } };
    }
    case 'recovered':
      return { ...ending, recovered: { result: record.result } };
    case 'settled':
      return { ...ending, settled: record };
  }
}

/** Neither `outcome` nor `recovered`. */
export function isOpen({ outcome, recovered }: KeptEnding): boolean {
  return outcome === undefined && recovered === undefined;
}

/** Whether the key of an intent may still come again. */
export function countsSince({ intent }: KeptIntent, since: number): boolean {
  return intent.idempotencyKeyHash !== undefined && Date.parse(intent.time) >= since;
}
