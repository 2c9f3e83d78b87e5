import type { GraphClient } from '../graph/graph-client.ts';
import type { Profile } from '../graph/profile.ts';
import type { Mutable } from '../mutable.ts';
import type { PostAction, SendAction } from './action-form.ts';
import type { SkewEstimate } from './clock-skew.ts';
import { LATE_ACT, type CreationWindow } from './creation-window.ts';
import { toProfileKey, type ProfileWrites } from './profile-writes.ts';
import type { ReadBack } from './read-back.ts';
import type { WriteContext } from './write-attempt.ts';
import { toUnseenOutcome } from './unseen-outcome.ts';
import type { Upstream, WriteOutcome } from './write-outcome.ts';

type Success = Extract<WriteOutcome, { result: 'success' }>;

/** What is learnt of a token while it certainly stands, for the record of its creation. */
export type CreatedEvidence = Pick<Success, 'status' | 'tokenFingerprint'>;

/**
 * Creates one token. Never rejects: a failure is an outcome, certain or not. `whileItStands` runs after a success and before the
 * next creation on the profile may begin; it must not reject.
 */
export type CreateToken = (
  profile: Profile,
  validitySeconds: number,
  context: WriteContext,
  whileItStands?: (window: CreationWindow) => Promise<CreatedEvidence>,
) => Promise<WriteOutcome>;

type CreateTokenOptions = Readonly<{
  graph: GraphClient;
  sendAction: SendAction;
  readBack: ReadBack;
  writes: ProfileWrites;
  skew: SkewEstimate;
  now?: () => number;
}>;

/**
 * createToken, settled: a 204 is a success, a refusal of Graph's a failure, and for everything else the profile is read back.
 * To be run in turns for each profile, so that the token read back is not that of another creation.
 */
export function createTokenCreation({
  graph,
  sendAction,
  readBack,
  writes,
  skew,
  now = Date.now,
}: CreateTokenOptions): CreateToken {
  return async (profile, validitySeconds, context, whileItStands) => {
    const key = toProfileKey(context.caller, profile);
    const startedAt = now();
    const previousAt = writes.lastEnd(key);
    const earlierOpenUntil = writes.openUntil(key);
    const post: PostAction = (target, call) => graph.createToken(target, validitySeconds, call);
    const sent = await sendAction(profile, post, context);
    if (sent.kind === 'refused') return { result: 'failed', problem: sent.problem, upstream: sent.upstream };

    const { sentAt } = sent;
    const window: Mutable<CreationWindow> = { sentAt, until: now() };
    if (previousAt !== undefined) window.previousAt = previousAt;
    if (earlierOpenUntil !== undefined) window.earlierOpenUntil = earlierOpenUntil;
    writes.add(key, sentAt, window.until);
    if (sent.kind === 'answered') skew.observe(sent.answer, sentAt, window.until);
    const succeed = async (upstream: Upstream): Promise<WriteOutcome> =>
      Object.assign({ result: 'success' as const, upstream, window }, await whileItStands?.(window));
    if (sent.kind === 'answered' && sent.answer.status === 204) return succeed(sent.upstream);

    const sighting = await readBack({ profile, validitySeconds, window }, context, sent.token);
    const upstream = { ...sent.upstream, durationMs: now() - startedAt };
    if (sighting.kind === 'seen') {
      writes.close(key, sentAt, now());
      window.shownAt = sighting.shownAt;
      return succeed(upstream);
    }
    const outcome = toUnseenOutcome({ ...sent, upstream }, sighting.kind);
    if (outcome.result !== 'unknown') return outcome;
    const until = now() + LATE_ACT;
    writes.stayOpen(key, sentAt, until);
    return { ...outcome, window: { ...window, until } };
  };
}
