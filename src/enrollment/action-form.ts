import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ProblemError } from '../errors.ts';
import type { GraphAnswer } from '../graph/graph-answer.ts';
import type { GraphCallContext, GraphClient } from '../graph/graph-client.ts';
import type { Profile, ProfileId } from '../graph/profile.ts';
import { toCountedRefusal } from './counted-refusal.ts';
import type { ReadGraph } from './read-graph.ts';
import type { SendWrite, Sent } from './send-write.ts';
import type { WriteContext } from './write-attempt.ts';

/** Profiles of which it is remembered whether they are AOSP ones; a profile never changes that. */
const REMEMBERED_PROFILES = 10_000;

const Mode = z.object({ enrollmentMode: z.string().min(1) });

const toAction = ({ canonical }: ProfileId, isAosp: boolean): string =>
  isAosp ? `AOSP-${canonical}` : canonical;

const withAction = ({ set, id }: Profile, action: string): Profile => ({ set, id: { ...id, action } });

/** One call of an action on a profile whose `id.action` has the form that Graph is to be asked in. */
export type PostAction = (profile: Profile, context: GraphCallContext) => Promise<GraphAnswer>;

/** Sends an action on a profile as {@link SendWrite} does, in the form that Graph takes. Never rejects. */
export type SendAction = (profile: Profile, post: PostAction, context: WriteContext) => Promise<Sent>;

type SendActionOptions = Readonly<{ graph: GraphClient; sendWrite: SendWrite; readGraph: ReadGraph }>;

const isUnknownProfile = (sent: Sent): boolean =>
  sent.kind === 'refused' && sent.problem.code === 'profile_not_found';

const mayPass = ({ status, code }: ProblemError): boolean => status >= 500 && code !== 'upstream_invalid';

/**
 * Graph's actions take `AOSP-` before the GUID of an AOSP profile, and only there; callers may give either form. An action goes
 * out as it was asked for until Graph says 404, by which it certainly did nothing. Then the profile's `enrollmentMode` tells
 * which form is right: the action goes out once more if it was the other one, and the right one is remembered. Each of these
 * calls is admitted, timed and counted by itself.
 */
export function createSendAction({ graph, sendWrite, readGraph }: SendActionOptions): SendAction {
  const known = new LRUCache<string, boolean>({ max: REMEMBERED_PROFILES });

  /** `undefined`: Graph does not tell. A problem that may pass is told instead of a profile that is not there. */
  const readIsAosp = async (
    profile: Profile,
    context: WriteContext,
  ): Promise<boolean | ProblemError | undefined> => {
    const read = await readGraph(
      (call) => graph.readProfile(profile, ['id', 'enrollmentMode'], call),
      context,
    );
    if (read.result === 'failed') return mayPass(read.problem) ? read.problem : undefined;
    return Mode.safeParse(read.answer.json).data?.enrollmentMode.includes('AOSP');
  };

  return async (profile, post, context) => {
    const { set, id } = profile;
    const isFixed = set !== 'androidDeviceOwnerEnrollmentProfiles';
    const remembered = isFixed ? undefined : known.get(id.canonical);
    const asked = remembered === undefined ? id.action : toAction(id, remembered);
    const target = asked === id.action ? profile : withAction(profile, asked);
    const first = await sendWrite((call) => post(target, call), context);
    if (isFixed || remembered !== undefined || !isUnknownProfile(first)) return first;

    const isAosp = await readIsAosp(profile, context);
    if (isAosp === undefined) return first;
    if (isAosp instanceof ProblemError) {
      return { kind: 'refused', problem: toCountedRefusal(isAosp), upstream: first.upstream };
    }
    known.set(id.canonical, isAosp);
    const right = toAction(id, isAosp);
    if (right.toLowerCase() === asked.toLowerCase()) return first;
    const second = await sendWrite((call) => post(withAction(profile, right), call), context);
    const attempts = first.upstream.attempts + second.upstream.attempts;
    const durationMs = first.upstream.durationMs + second.upstream.durationMs;
    const upstream = { ...second.upstream, attempts, durationMs };
    return second.kind === 'refused'
      ? { kind: 'refused', problem: toCountedRefusal(second.problem), upstream }
      : { ...second, upstream };
  };
}
