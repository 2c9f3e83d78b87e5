import type { ClockSkew } from './clock-skew.ts';
import type { CreationTime } from './creation-time.ts';

/** When, by our clock, a creation must have happened to be the one in question. Milliseconds since the epoch. */
export type CreationWindow = Readonly<{
  /** When the request was sent. */
  sentAt: number;
  /** When an earlier write on this profile ended, if one is known. */
  previousAt?: number;
  /** Until when an earlier write on this profile, whose answer was lost, may still act: a creation up to then may be that one. */
  earlierOpenUntil?: number;
  /** The latest moment at which the creation counts as this one. */
  until: number;
  /** When a later write on this profile was sent: from then on, any creation may be that one. */
  nextAt?: number;
  /** What Graph showed as its time of creation when it was seen, on Graph's clock: from then on it is known by that. */
  shownAt?: number;
}>;

/** Milliseconds for which Graph may still act on, or show late, a request whose answer was lost. */
export const LATE_ACT = 60_000;

/** Milliseconds by which clocks inside Graph may differ from one another. */
const TOLERANCE = 2000;

/** The window, ending where a later write on the profile was sent at the latest. */
export const endedBy = (window: CreationWindow, nextAt: number | undefined): CreationWindow =>
  nextAt === undefined ? window : { ...window, nextAt: Math.min(nextAt, window.nextAt ?? nextAt) };

/** Whether a creation at that time may be the one of a later write. */
export const isFollowed = (
  { at, resolution }: CreationTime,
  { nextAt = Number.POSITIVE_INFINITY }: CreationWindow,
  skew: ClockSkew,
): boolean => at + resolution - skew.least >= nextAt;

/**
 * Whether a creation at that time is the one of the window. In doubt it is not: beside another write of ours nothing is
 * tolerated, and of all the times that resolution and skew allow the one that speaks against it counts.
 */
export function isWithin(created: CreationTime, window: CreationWindow, skew: ClockSkew): boolean {
  const { at, resolution } = created;
  const { sentAt, previousAt = Number.NEGATIVE_INFINITY, until } = window;
  const earliest = at - skew.most;
  const latest = at + resolution - skew.least;
  if (earliest > until + TOLERANCE || isFollowed(created, window, skew)) return false;
  const blur = latest - earliest;
  const isApart = sentAt - previousAt >= 2 * TOLERANCE + blur;
  return isApart ? latest >= sentAt - TOLERANCE : earliest > (previousAt + sentAt) / 2;
}

/** Whether a creation within the window may as well be the late act of an earlier write. */
export const isDoubtful = (
  { at }: CreationTime,
  { earlierOpenUntil = Number.NEGATIVE_INFINITY }: CreationWindow,
  skew: ClockSkew,
): boolean => at - skew.most <= earlierOpenUntil;
