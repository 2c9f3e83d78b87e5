import type { AppendAudit } from '../audit/record.ts';
import { toProblem } from '../errors.ts';
import { withAudit } from './audited.ts';
import type { CreateToken, CreatedEvidence } from './create-token.ts';
import type { CreationTurns } from './creation-turns.ts';
import { endedBy, type CreationWindow } from './creation-window.ts';
import { untied } from './deadline.ts';
import type { CreateRequest } from './enrollment.ts';
import { toTokenEvidence, type HeldToken, type HoldToken, type ToFingerprint } from './hold-token.ts';
import type { Idempotent } from './idempotent.ts';
import { toIntent } from './intent.ts';
import { toShownTimes } from './own-creation.ts';
import { toProfileKey, type ProfileWrites, type ShownTimes } from './profile-writes.ts';
import type { ReadOwnToken } from './read-own-token.ts';
import type { ReadableToken, TokenReading } from './read-token.ts';
import type { SettleCreation } from './settle-creation.ts';

/**
 * Creates a token and, where the caller prefers so (RFC 7240), gives it: the token of this creation, else `concurrent_creation`.
 * `undefined` when it was not asked for, or when it could not be read: the creation stands, and the preference is not applied.
 */
export type CreateAndRead = (
  request: CreateRequest,
  validitySeconds: number,
) => Promise<ReadableToken | undefined>;

type CreateAndReadOptions = Readonly<{
  append: AppendAudit;
  createToken: CreateToken;
  settleCreation: SettleCreation;
  idempotent: Idempotent;
  turns: CreationTurns;
  writes: ProfileWrites;
  holdToken: HoldToken;
  readOwnToken: ReadOwnToken;
  toFingerprint: ToFingerprint;
  /** Read every token created, for its fingerprint. */
  alwaysFingerprint: boolean;
}>;

const isConcurrent = (reading: TokenReading): boolean =>
  reading.result === 'failed' && reading.problem.code === 'concurrent_creation';

/** The status by which a creation is answered when its token was asked for. */
function toStatus(reading: TokenReading): number {
  if (reading.result === 'success') return 200;
  return isConcurrent(reading) ? reading.problem.status : 204;
}

/** Gives the token out once that is on record. */
async function release(held: HeldToken | undefined): Promise<ReadableToken | undefined> {
  if (!held) return undefined;
  const { reading } = held;
  if (reading.result === 'failed' && !isConcurrent(reading)) {
    await held.withhold(reading.problem);
    return undefined;
  }
  return held.release();
}

export function createCreateAndRead(options: CreateAndReadOptions): CreateAndRead {
  const { append, createToken, settleCreation, idempotent, turns, writes } = options;
  const { holdToken, readOwnToken, toFingerprint, alwaysFingerprint } = options;

  /** The next creation on the profile tells its token from this one. */
  const noteShown = (
    reading: TokenReading,
    { caller, profile }: CreateRequest,
    validitySeconds: number,
  ): void => {
    const shown = reading.result === 'success' ? toShownTimes(reading.token, validitySeconds) : undefined;
    if (shown) writes.show(toProfileKey(caller, profile), shown);
  };

  return async (request, validitySeconds) => {
    const { profile, wantsToken } = request;
    const isRead = wantsToken === true || alwaysFingerprint;
    let held: HeldToken | undefined;
    let previous: ShownTimes | undefined;
    // The fingerprint is part of the record, whether the caller waits for its answer or not.
    const context = alwaysFingerprint ? { ...request, deadline: untied(request.deadline) } : request;
    const read = (window: CreationWindow) =>
      readOwnToken({ profile, validitySeconds, window, previous }, context);
    const hold = async (reading: () => Promise<TokenReading>): Promise<void> => {
      // Without a recorded intent nothing is read.
      held = await holdToken(request, reading).catch(() => undefined);
    };

    /** In the same turn as the creation, so that the next one through this service does not come in between. */
    const whileItStands = async (window: CreationWindow): Promise<CreatedEvidence> => {
      if (wantsToken) {
        await hold(() => read(window));
        if (held) noteShown(held.reading, request, validitySeconds);
        return held
          ? { status: toStatus(held.reading), ...toTokenEvidence(held.reading, toFingerprint) }
          : {};
      }
      if (!alwaysFingerprint) return {};
      const reading = await read(window);
      noteShown(reading, request, validitySeconds);
      return toTokenEvidence(reading, toFingerprint);
    };

    try {
      const repeated = await idempotent(
        request,
        toIntent(request, 'enrollmentToken.create', { tokenValidityInSeconds: validitySeconds }),
        (event) =>
          // The records as well: an intent without an outcome is then the last write of a process on its profile.
          turns.create(request, () => {
            if (isRead) previous = writes.lastShown(toProfileKey(request.caller, profile));
            return withAudit(append, event, () =>
              createToken(profile, validitySeconds, request, whileItStands),
            );
          }),
        (window, first) =>
          turns.look(request, first, async (isLast) =>
            isLast ? settleCreation({ profile, validitySeconds, window }, request, first) : undefined,
          ),
      );
      if (wantsToken && repeated?.window) {
        const { window, first } = repeated;
        const key = toProfileKey(request.caller, profile);
        // Its token is its own only as long as no later creation may have put another one there.
        await hold(() =>
          turns.look(request, first, (isLast) => {
            const ended = endedBy(window, writes.nextStart(key, window.sentAt, first));
            return read(isLast ? ended : endedBy(ended, window.until));
          }),
        );
      }
    } catch (error) {
      await held?.withhold(toProblem(error));
      throw error;
    }
    return wantsToken ? release(held) : undefined;
  };
}
