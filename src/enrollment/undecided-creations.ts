import type { UndecidedCreation } from '../audit/kept-intent.ts';
import { LATE_ACT } from './creation-window.ts';
import type { ProfileWrites } from './profile-writes.ts';

/**
 * What an earlier process left open is open in this one, too: a late act of it must not be taken for a creation of ours.
 *
 * @param lostAfterMs milliseconds after its intent in which a process that died may have sent its request
 */
export function rememberUndecided(
  writes: Pick<ProfileWrites, 'stayOpen'>,
  creations: Iterable<UndecidedCreation>,
  lostAfterMs: number,
  now: () => number = Date.now,
): void {
  for (const { profile, intendedAt, endedAt = intendedAt + lostAfterMs } of creations) {
    const until = endedAt + LATE_ACT;
    if (until > now()) writes.stayOpen(profile, intendedAt, until);
  }
}
