import type { OutcomeEvent } from './record.ts';

/**
 * Outcomes that the journal itself adds once it works again, so that no intent stays open because of a disk: for an
 * intent that was refused to its caller and yet reached the disk (nothing was done), and for an outcome that could not
 * be written when it was due. Each says what its caller was told: of a failure, by which nothing was done and no secret went out,
 * that failure; of a success and of what is open, 500 `outcome_unrecorded`.
 */
export type LateEndings = Readonly<{
  /** A refused intent stands in the journal. */
  intentStands: (id: string) => void;
  /** An outcome was refused and is not in the journal. */
  outcomeLost: (outcome: OutcomeEvent) => void;
  /** The intent ended otherwise, or its late outcome was written. */
  remove: (intent: string) => void;
  /** Those that nobody is writing yet; who takes them gives back (`outcomeLost`) or removes each. */
  take: () => readonly OutcomeEvent[];
}>;

/** Beyond it the oldest is forgotten; the next start closes its intent as `recovered`. */
const MAX_PENDING = 10_000;

export function createLateEndings(): LateEndings {
  const pending = new Map<string, { outcome: OutcomeEvent; taken: boolean }>();

  function put(outcome: OutcomeEvent): void {
    const oldest = pending.size < MAX_PENDING ? undefined : pending.keys().next().value;
    if (oldest !== undefined) pending.delete(oldest);
    pending.set(outcome.intent, { outcome, taken: false });
  }

  return {
    intentStands(id) {
      const upstream = { attempts: 0, durationMs: 0 };
      put({
        kind: 'outcome',
        intent: id,
        result: 'failed',
        status: 503,
        code: 'audit_unavailable',
        upstream,
      });
    },
    outcomeLost(outcome) {
      put(outcome.result === 'failed' ? outcome : { ...outcome, status: 500, code: 'outcome_unrecorded' });
    },
    remove(intent) {
      pending.delete(intent);
    },
    take() {
      const free = [...pending.values()].filter(({ taken }) => !taken);
      for (const entry of free) entry.taken = true;
      return free.map(({ outcome }) => outcome);
    },
  };
}
