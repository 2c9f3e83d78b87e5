import type { AppendAudit, OutcomeEvent } from '../audit/record.ts';
import { ProblemError, toProblem } from '../errors.ts';
import { toIntent, type ProfileRequest } from './intent.ts';
import type { ReadableToken, TokenReading } from './read-token.ts';

/** A token that was read under a recorded intent, and is held back until the outcome is on record too. */
export type HeldToken = Readonly<{
  reading: TokenReading;
  /** Records the outcome, then gives the token, or throws why there is none. `outcome_unrecorded`: it stays here. */
  release: () => Promise<ReadableToken>;
  /** Records that the token, read or not, was not given out, and why. Never rejects. */
  withhold: (problem: ProblemError) => Promise<void>;
}>;

/** Rejects with `audit_unavailable`, nothing having been read, when the intent could not be recorded. */
export type HoldToken = (request: ProfileRequest, read: () => Promise<TokenReading>) => Promise<HeldToken>;

/** HMAC-SHA-256 of a token's value, or nothing where no key is set. */
export type ToFingerprint = (tokenValue: string) => string | undefined;

/** Graph was asked, so this is no "nothing was done"; and a creation may stand behind it, which nobody is to repeat. */
const UNRECORDED =
  'The token was read, but its audit record could not be written, so it is not given out. Do not repeat a creation; read its token once the audit journal works again.';

type HoldTokenOptions = Readonly<{ append: AppendAudit; toFingerprint: ToFingerprint }>;

/** The members of an outcome that tell which token it was. */
export function toTokenEvidence(
  reading: TokenReading,
  toFingerprint: ToFingerprint,
): Pick<OutcomeEvent, 'tokenFingerprint'> {
  const fingerprint =
    reading.result === 'success' ? toFingerprint(reading.token.tokenValue.reveal()) : undefined;
  return fingerprint === undefined ? {} : { tokenFingerprint: fingerprint };
}

export const createHoldToken =
  ({ append, toFingerprint }: HoldTokenOptions): HoldToken =>
  async (request, read) => {
    const { id: intent } = await append(toIntent(request, 'enrollmentToken.read'));
    let reading: TokenReading;
    try {
      reading = await read();
    } catch (error) {
      reading = { result: 'failed', problem: toProblem(error), upstream: { attempts: 0, durationMs: 0 } };
    }
    const { upstream } = reading;

    const recordFailure = ({ status, code }: ProblemError) =>
      append({ kind: 'outcome', intent, result: 'failed', status, code, upstream });

    return {
      reading,
      release: async () => {
        if (reading.result === 'failed') {
          // A refusal that could not be recorded shows no secret, and may be told.
          await recordFailure(reading.problem).catch(() => undefined);
          throw reading.problem;
        }
        const evidence = toTokenEvidence(reading, toFingerprint);
        try {
          await append({ kind: 'outcome', intent, result: 'success', status: 200, upstream, ...evidence });
        } catch (cause) {
          throw new ProblemError('outcome_unrecorded', UNRECORDED, { cause });
        }
        return reading.token;
      },
      withhold: async (problem) => {
        await recordFailure(problem).catch(() => undefined);
      },
    };
  };
