import type { GraphCallContext, GraphClient } from '../graph/graph-client.ts';
import type { Profile } from '../graph/profile.ts';
import { readClockSkew } from './clock-skew.ts';
import { readCreationTime } from './creation-time.ts';
import { isDoubtful, isWithin, type CreationWindow } from './creation-window.ts';
import type { Deadline } from './deadline.ts';

/**
 * Whether the profile shows the token that was to be created. `doubtful`: it shows one that may be that of another write;
 * `unreadable`: Graph did not say.
 */
export type Sighting =
  /** `shownAt`: its time of creation, on Graph's clock. */
  Readonly<{ kind: 'seen'; shownAt: number }> | Readonly<{ kind: 'not_seen' | 'doubtful' | 'unreadable' }>;

const UNREADABLE: Sighting = { kind: 'unreadable' };

export type Creation = Readonly<{ profile: Profile; validitySeconds: number; window: CreationWindow }>;

export type ReadBack = (
  creation: Creation,
  context: GraphCallContext,
  deadline: Deadline,
) => Promise<Sighting>;

type ReadBackOptions = Readonly<{
  graph: GraphClient;
  upstreamTimeoutMs: number;
  now?: () => number;
  wait?: (milliseconds: number) => Promise<void>;
}>;

/** Two looks, this many milliseconds apart: Graph may show a creation late. */
const BETWEEN_LOOKS = 1000;

const TIMES = {
  androidForWorkEnrollmentProfiles: ['id', 'tokenExpirationDateTime'],
  androidDeviceOwnerEnrollmentProfiles: ['id', 'tokenCreationDateTime', 'tokenExpirationDateTime'],
} as const;

const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, milliseconds);
  });

/** Settles a create whose answer was lost: reads when the profile's token was created, and never the token itself. */
export function createReadBack({
  graph,
  upstreamTimeoutMs,
  now = Date.now,
  wait = sleep,
}: ReadBackOptions): ReadBack {
  const look = async (
    { profile, validitySeconds, window }: Creation,
    context: GraphCallContext,
    remainingMs: number,
  ): Promise<Sighting> => {
    const askedAt = now();
    try {
      const answer = await graph.readProfile(profile, TIMES[profile.set], {
        ...context,
        timeoutMs: Math.min(upstreamTimeoutMs, remainingMs),
      });
      const created = answer.status === 200 ? readCreationTime(answer.json, validitySeconds) : undefined;
      if (!created) return UNREADABLE;
      const skew = readClockSkew(answer, askedAt, now());
      if (!isWithin(created, window, skew)) return { kind: 'not_seen' };
      return isDoubtful(created, window, skew) ? { kind: 'doubtful' } : { kind: 'seen', shownAt: created.at };
    } catch {
      return UNREADABLE;
    }
  };

  return async (creation, context, deadline) => {
    if (deadline.remainingMs() === 0) return UNREADABLE;
    const first = await look(creation, context, deadline.remainingMs());
    if (first.kind === 'seen' || deadline.remainingMs() <= BETWEEN_LOOKS) return first;
    await wait(BETWEEN_LOOKS);
    return look(creation, context, deadline.remainingMs());
  };
}
