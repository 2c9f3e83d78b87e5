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
  for (const creation of creations) {
    const until = toOpenUntil(creation, lostAfterMs);
    if (until > now()) writes.stayOpen(creation.profile, creation.intendedAt, until);
  }
}

/** Until when one of these creations on the profile, intended before that time, may have acted, if there is one. */
export function readOpenBefore(
  creations: Iterable<UndecidedCreation>,
  lostAfterMs: number,
  profile: string,
  before: number,
): number | undefined {
  let latest: number | undefined;
  for (const creation of creations) {
    if (creation.profile !== profile || creation.intendedAt >= before) continue;
    latest = Math.max(latest ?? Number.NEGATIVE_INFINITY, toOpenUntil(creation, lostAfterMs));
  }
  return latest;
}

function toOpenUntil({ intendedAt, endedAt }: UndecidedCreation, lostAfterMs: number): number {
  return (endedAt ?? intendedAt + lostAfterMs) + LATE_ACT;
}
