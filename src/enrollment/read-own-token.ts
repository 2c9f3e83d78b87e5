import { ProblemError } from '../errors.ts';
import type { Profile } from '../graph/profile.ts';
import { toOwnership, type OwnCreation } from './own-creation.ts';
import type { ReadToken, TokenReading } from './read-token.ts';
import type { WriteContext } from './write-attempt.ts';

/** The creation whose token is wanted. */
export type Creation = Readonly<{ profile: Profile }> & Omit<OwnCreation, 'set'>;

/**
 * Reads the token of one creation, and of no other: `concurrent_creation` when another one stands there by now. Never rejects.
 */
export type ReadOwnToken = (creation: Creation, context: WriteContext) => Promise<TokenReading>;

type ReadOwnTokenOptions = Readonly<{
  readToken: ReadToken;
  wait?: (milliseconds: number) => Promise<void>;
}>;

/** Graph may show a creation late: a second look after this many milliseconds. */
const BETWEEN_LOOKS = 1000;

const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, milliseconds);
  });

export function createReadOwnToken({ readToken, wait = sleep }: ReadOwnTokenOptions): ReadOwnToken {
  return async ({ profile, validitySeconds, window, previous }, context) => {
    const creation: OwnCreation = { set: profile.set, validitySeconds, window, previous };
    const look = async () => {
      const reading = await readToken(profile, context);
      if (reading.result === 'success')
        return { reading, ownership: toOwnership(reading.token, creation, reading.skew) };
      // No token yet, or none any more.
      const ownership = reading.problem.code === 'profile_not_found' ? 'older' : 'own';
      return { reading, ownership };
    };

    let { reading, ownership } = await look();
    if (ownership === 'older' && context.deadline.remainingMs() > BETWEEN_LOOKS) {
      await wait(BETWEEN_LOOKS);
      ({ reading, ownership } = await look());
    }
    if (ownership === 'own') return reading;
    const { upstream } = reading;
    return { result: 'failed', problem: new ProblemError('concurrent_creation'), upstream };
  };
}
