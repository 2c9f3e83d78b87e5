import type { GraphToken } from '../exchange/graph-token.ts';
import type { CachedExchange } from '../exchange/token-cache.ts';
import { ProblemError } from '../errors.ts';
import type { GraphAnswer } from '../graph/graph-answer.ts';
import type { GraphClient } from '../graph/graph-client.ts';
import type { Profile } from '../graph/profile.ts';
import type { SkewEstimate } from './clock-skew.ts';
import { fitsValidity, readCreationTime } from './creation-time.ts';
import { isDoubtful, isWithin, type CreationWindow } from './creation-window.ts';
import { isForCaller } from './open-problem.ts';
import { createAfterUnauthorised, type Renewal, type UnauthorisedOptions } from './unauthorised.ts';
import type { WriteContext } from './write-attempt.ts';

/**
 * Whether the profile shows the token that was to be created. `doubtful`: it shows one that may be that of another write;
 * `unreadable`: Graph did not say.
 */
export type Sighting =
  /** `shownAt`: its time of creation, on Graph's clock. */
  | Readonly<{ kind: 'seen'; shownAt: number }>
  | Readonly<{ kind: 'not_seen' | 'doubtful' }>
  /** `problem`: why there was no Graph token to ask with. */
  | Readonly<{ kind: 'unreadable'; problem?: ProblemError }>;

const UNREADABLE: Sighting = { kind: 'unreadable' };

export type Creation = Readonly<{ profile: Profile; validitySeconds: number; window: CreationWindow }>;

/** Never rejects. `token`: the Graph token to begin with, where one is at hand. */
export type ReadBack = (creation: Creation, context: WriteContext, token?: GraphToken) => Promise<Sighting>;

type ReadBackOptions = UnauthorisedOptions &
  Readonly<{
    graph: GraphClient;
    exchange: CachedExchange;
    upstreamTimeoutMs: number;
    skew: SkewEstimate;
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

/** The Graph token in use: a renewed one serves the second look, too. */
type Holder = { token: GraphToken | undefined };
type Asked = Readonly<{ answer: GraphAnswer; askedAt: number }>;

/**
 * Settles a create whose answer was lost: reads when the profile's token was created, and never the token itself. Not held up by
 * a pause that Graph asked for: it is what the caller waits for, and two reads at most.
 */
export function createReadBack(options: ReadBackOptions): ReadBack {
  const { graph, exchange, upstreamTimeoutMs, skew: estimate, now = Date.now, wait = sleep } = options;
  const afterUnauthorised = createAfterUnauthorised(options);

  /** As for every call to Graph, a token that it refuses is dropped, and exchanged anew once. */
  const ask = async (
    profile: Profile,
    { caller, clientRequestId, deadline }: WriteContext,
    holder: Holder,
  ): Promise<Asked | undefined> => {
    let tried: Renewal = { renewed: false };
    for (;;) {
      const { claims } = tried;
      const token = (holder.token ??= await exchange.exchange(
        caller,
        claims === undefined ? { deadline } : { deadline, claims },
      ));
      const timeoutMs = Math.min(upstreamTimeoutMs, deadline.remainingMs());
      if (timeoutMs === 0) return undefined;
      const askedAt = now();
      const context = { token: token.value, clientRequestId, timeoutMs };
      const answer = await graph.readProfile(profile, TIMES[profile.set], context);
      if (answer.status !== 401) return { answer, askedAt };
      exchange.drop(caller, token);
      holder.token = undefined;
      const next = afterUnauthorised(answer, caller, tried);
      if (next instanceof ProblemError) throw next;
      tried = next;
    }
  };

  const look = async (
    { profile, validitySeconds, window }: Creation,
    context: WriteContext,
    holder: Holder,
  ): Promise<Sighting> => {
    try {
      const asked = await ask(profile, context, holder);
      if (asked?.answer.status !== 200) return UNREADABLE;
      const { answer, askedAt } = asked;
      const skew = estimate.observe(answer, askedAt, now());
      const created = readCreationTime(answer.json, validitySeconds);
      if (!created) return UNREADABLE;
      if (!isWithin(created, window, skew)) return { kind: 'not_seen' };
      const isOwn = !isDoubtful(created, window, skew) && fitsValidity(answer.json, validitySeconds);
      return isOwn ? { kind: 'seen', shownAt: created.at } : { kind: 'doubtful' };
    } catch (error) {
      return error instanceof ProblemError ? { kind: 'unreadable', problem: error } : UNREADABLE;
    }
  };

  /** Whether a second look may tell more. */
  const isFinal = (sighting: Sighting): boolean =>
    sighting.kind === 'seen' ||
    (sighting.kind === 'unreadable' && sighting.problem !== undefined && isForCaller(sighting.problem));

  return async (creation, context, token) => {
    const { deadline } = context;
    if (deadline.remainingMs() === 0) return UNREADABLE;
    const holder: Holder = { token };
    const first = await look(creation, context, holder);
    if (isFinal(first) || deadline.remainingMs() <= BETWEEN_LOOKS) return first;
    await wait(BETWEEN_LOOKS);
    return look(creation, context, holder);
  };
}
