import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { GraphAnswer } from './graph-answer.ts';
import type { GraphCallContext, GraphClient } from './graph-client.ts';
import type { Profile, ProfileId } from './profile.ts';

/** Profiles of which it is remembered whether they are AOSP ones; a profile never changes that. */
const REMEMBERED_PROFILES = 10_000;

const Mode = z.object({ enrollmentMode: z.string().min(1) });

const toAction = ({ canonical }: ProfileId, isAosp: boolean): string =>
  isAosp ? `AOSP-${canonical}` : canonical;

/**
 * Graph's actions take `AOSP-` before the GUID of an AOSP profile, and only there; callers may give either form. An action goes
 * out as it was asked for until Graph says 404, by which it certainly did nothing. Then the profile's `enrollmentMode` tells
 * which form is right: the action goes out once more if it was the other one, and the right one is remembered.
 */
export function withActionForm(graph: GraphClient): GraphClient {
  const known = new LRUCache<string, boolean>({ max: REMEMBERED_PROFILES });

  const readIsAosp = async (profile: Profile, context: GraphCallContext): Promise<boolean | undefined> => {
    try {
      const { status, json } = await graph.readProfile(profile, ['id', 'enrollmentMode'], context);
      return status === 200 ? Mode.safeParse(json).data?.enrollmentMode.includes('AOSP') : undefined;
    } catch {
      return undefined;
    }
  };

  const act = async (
    profile: Profile,
    context: GraphCallContext,
    send: (profile: Profile) => Promise<GraphAnswer>,
  ): Promise<GraphAnswer> => {
    const { set, id } = profile;
    if (set !== 'androidDeviceOwnerEnrollmentProfiles') return send(profile);
    const remembered = known.get(id.canonical);
    const asked = remembered === undefined ? id.action : toAction(id, remembered);
    const answer = await send(asked === id.action ? profile : { set, id: { ...id, action: asked } });
    if (answer.status !== 404 || remembered !== undefined) return answer;
    const isAosp = await readIsAosp(profile, context);
    if (isAosp === undefined) return answer;
    known.set(id.canonical, isAosp);
    const right = toAction(id, isAosp);
    return right.toLowerCase() === asked.toLowerCase() ? answer : send({ set, id: { ...id, action: right } });
  };

  return {
    ...graph,
    createToken: (profile, validitySeconds, context) =>
      act(profile, context, (target) => graph.createToken(target, validitySeconds, context)),
    revokeToken: (profile, context) => act(profile, context, (target) => graph.revokeToken(target, context)),
  };
}
