import type { EnrollmentToken } from '../graph/enrollment-token.ts';
import type { ProfileSet } from '../graph/profile.ts';
import type { ClockSkew } from './clock-skew.ts';
import { fitsValidity, readCreationTime } from './creation-time.ts';
import { isFollowed, isWithin, type CreationWindow } from './creation-window.ts';
import type { ShownTimes } from './profile-writes.ts';

/** One creation of ours, to tell its token from any other. */
export type OwnCreation = Readonly<{
  set: ProfileSet;
  validitySeconds: number;
  window: CreationWindow;
  /** The token of the write before it, where that was read: no clock of ours is needed to tell it from this one. */
  previous?: ShownTimes | undefined;
}>;

/** Whose token a profile shows: that of our creation, an older one (Graph shows a change late), or somebody else's newer one. */
export type Ownership = 'own' | 'older' | 'newer';

/**
 * Milliseconds after our creation's end at which a token still counts as ours. With `tokenCreationDateTime` none; without it (ForWork)
 * the time comes from the expiry, which is held to the second.
 */
const LATEST: Readonly<Record<ProfileSet, number>> = {
  androidForWorkEnrollmentProfiles: 1000,
  androidDeviceOwnerEnrollmentProfiles: 0,
};

export function toOwnership(
  token: Pick<EnrollmentToken, 'tokenCreationDateTime' | 'tokenExpirationDateTime'>,
  { set, validitySeconds, window, previous }: OwnCreation,
  skew: ClockSkew,
): Ownership {
  const created = readCreationTime(token, validitySeconds);
  if (!created || isFollowed(created, window, skew)) return 'newer';
  if (!fitsValidity(token, validitySeconds) && isWithin(created, window, skew)) return 'newer';
  const { shownAt } = window;
  if (shownAt !== undefined) {
    if (created.at === shownAt) return 'own';
    return created.at < shownAt ? 'older' : 'newer';
  }
  if (previous && (created.at <= previous.createdAt || token.tokenExpirationDateTime === previous.expires)) {
    return 'older';
  }
  // Nor is anything tolerated beside an earlier write that may have acted behind ours.
  const isAlone = (window.earlierOpenUntil ?? Number.NEGATIVE_INFINITY) < window.sentAt;
  const latest = window.until + (isAlone ? LATEST[set] : 0);
  if (created.at - skew.most > latest) return 'newer';
  // What is none of ours before it need not be told from it by the clocks.
  const { previousAt: _previousAt, ...alone } = window;
  return isWithin(created, previous && isAlone ? alone : window, skew) ? 'own' : 'older';
}

export function toShownTimes(
  token: Pick<EnrollmentToken, 'tokenCreationDateTime' | 'tokenExpirationDateTime'>,
  validitySeconds: number,
): ShownTimes | undefined {
  const created = readCreationTime(token, validitySeconds);
  return created && { createdAt: created.at, expires: token.tokenExpirationDateTime };
}
