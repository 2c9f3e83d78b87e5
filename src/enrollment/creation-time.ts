import { z } from 'zod';
import type { GraphAnswer } from '../graph/graph-answer.ts';

const ProfileTimes = z.object({
  tokenCreationDateTime: z.string().nullish(),
  tokenExpirationDateTime: z.string().nullish(),
});

/** When the token that a profile shows now was created, by Graph's clock. */
type CreationTime = Readonly<{
  /** Milliseconds since the epoch. */
  at: number;
  /** Milliseconds by which the true time may be later: Graph may cut fractions off. */
  resolution: number;
}>;

/** From `tokenCreationDateTime` where the set has it, else from the expiry and the validity that was asked for. */
export function readCreationTime(json: unknown, validitySeconds: number): CreationTime | undefined {
  const times = ProfileTimes.safeParse(json).data;
  const created = Date.parse(times?.tokenCreationDateTime ?? '');
  const at = Number.isNaN(created)
    ? Date.parse(times?.tokenExpirationDateTime ?? '') - validitySeconds * 1000
    : created;
  if (Number.isNaN(at)) return undefined;
  return { at, resolution: at % 1000 === 0 ? 999 : 0 };
}

/**
 * Milliseconds by which Graph's clock is ahead of ours, as far as its `Date` (whole seconds) shows it: 0 while the answer's
 * second fits the time in which the call ran.
 */
export function readClockSkew({ date }: GraphAnswer, askedAt: number, answeredAt: number): number {
  if (date === undefined) return 0;
  const least = date - answeredAt;
  const most = date + 999 - askedAt;
  if (least > 0) return least;
  return most < 0 ? most : 0;
}

/** The window, by our clock, in which the creation in question must have happened. */
export type CreationWindow = Readonly<{
  /** When the request was sent. */
  sentAt: number;
  /** When an earlier write on this profile by this process ended, if one is known. */
  previousAt?: number;
  /** The latest moment at which the creation counts as this one. */
  until: number;
}>;

/** Milliseconds by which clocks inside Graph may differ from one another. */
const TOLERANCE = 2000;

/** Whether a creation at that time can only be the one that was sent within the window. */
export function isWithin({ at, resolution }: CreationTime, window: CreationWindow, skew: number): boolean {
  const { sentAt, previousAt = Number.NEGATIVE_INFINITY, until } = window;
  const created = at - skew;
  if (created > until + TOLERANCE) return false;
  // An earlier write close by: the border runs in the middle, and a whole second that holds it tells nothing.
  if (sentAt - previousAt < 2 * TOLERANCE) return created >= (previousAt + sentAt) / 2;
  return created + resolution >= sentAt - TOLERANCE;
}
