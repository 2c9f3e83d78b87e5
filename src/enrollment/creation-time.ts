import { z } from 'zod';

const ProfileTimes = z.object({
  tokenCreationDateTime: z.string().nullish(),
  tokenExpirationDateTime: z.string().nullish(),
});

/** When the token that a profile shows now was created, by Graph's clock. */
export type CreationTime = Readonly<{
  /** Milliseconds since the epoch. */
  at: number;
  /** Milliseconds by which the true time may be later: Graph may cut fractions off. */
  resolution: number;
}>;

/** Milliseconds by which creation and expiry, each perhaps cut to the second, may be off the validity. */
const TOLERANCE = 3000;

/** Whether a token lives as long as was asked for, as far as both its ends are shown: one that does not is somebody else's. */
export function fitsValidity(json: unknown, validitySeconds: number): boolean {
  const times = ProfileTimes.safeParse(json).data;
  const created = Date.parse(times?.tokenCreationDateTime ?? '');
  const expires = Date.parse(times?.tokenExpirationDateTime ?? '');
  return !(Math.abs(expires - created - validitySeconds * 1000) > TOLERANCE);
}

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
