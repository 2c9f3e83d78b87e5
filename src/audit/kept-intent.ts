import { toProfileName } from './next-creations.ts';
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
    /** Of a creation, as long as nobody knows what became of it: the profile, named among those of all tenants. */
    profile?: string;
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
    ...(record.action === 'enrollmentToken.create' && { profile: toProfileName(record) }),
  };
}

/** The same with what is now known of its end. */
export function withKeptEnding(past: KeptIntent, ending: KeptEnding): KeptIntent {
  const ended = { ...past, ...ending };
  if (isUndecided(ended)) return ended;
  const { profile: _profile, ...decided } = ended;
  return decided;
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

/** Neither done nor certainly not done. */
function isUndecided({ outcome, settled }: KeptEnding): boolean {
  return settled === undefined && (outcome === undefined || outcome.result === 'unknown');
}

/** A creation of which nobody knows what became: Graph may act on it late. Milliseconds since the epoch. */
export type UndecidedCreation = Readonly<{
  profile: string;
  intendedAt: number;
  /** When it was given up; absent where its process died before. */
  endedAt?: number;
}>;

export function readUndecidedCreation({
  profile,
  intent,
  outcome,
}: KeptIntent): UndecidedCreation | undefined {
  if (profile === undefined) return undefined;
  const creation = { profile, intendedAt: Date.parse(intent.time) };
  return outcome ? { ...creation, endedAt: Date.parse(outcome.time) } : creation;
}

/** Whether the key of an intent may still come again. */
export function countsSince({ intent }: KeptIntent, since: number): boolean {
  return intent.idempotencyKeyHash !== undefined && Date.parse(intent.time) >= since;
}
