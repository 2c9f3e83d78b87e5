import type { AuditEvent, AuditRecord, RecordSeal, SettledEvent } from './record.ts';

/**
 * Which intents have a `settled` in the journal: one at most. Who asks to settle anew does not know: a record that was refused for its
 * time, or by a disk that failed, may have reached the disk all the same.
 */
export type Settlements = Readonly<{
  /** What is to be written of a group: no `settled` of an intent that has one, and none twice. */
  toWrite: <Item extends Readonly<{ event: AuditEvent }>>(group: readonly Item[]) => readonly Item[];
  /** A `settled` is durable. */
  stands: (intent: string, seal: RecordSeal) => void;
  /** The seal of the one that is. */
  sealOf: (intent: string) => RecordSeal | undefined;
}>;

/** Beyond it the oldest is forgotten: by then its caller has asked again, or does not. */
const MAX_KNOWN = 10_000;

const isSettled = ({ event }: Readonly<{ event: AuditEvent }>): boolean => event.kind === 'settled';

/** @param earlier those of earlier processes, as far as they may still be asked for */
export function createSettlements(earlier: Iterable<AuditRecord<SettledEvent>> = []): Settlements {
  const known = new Map<string, RecordSeal>();
  const stands = (intent: string, seal: RecordSeal): void => {
    const oldest = known.size < MAX_KNOWN ? undefined : known.keys().next().value;
    if (oldest !== undefined) known.delete(oldest);
    known.set(intent, seal);
  };
  for (const record of earlier) stands(record.intent, record);

  return {
    toWrite: (group) => {
      if (!group.some(isSettled)) return group;
      const coming = new Set<string>();
      return group.filter(({ event }) => {
        if (event.kind !== 'settled') return true;
        if (known.has(event.intent) || coming.has(event.intent)) return false;
        coming.add(event.intent);
        return true;
      });
    },
    stands,
    sealOf: (intent) => known.get(intent),
  };
}
