import type { GraphClient } from '../graph/graph-client.ts';
import { toGraphUnavailable } from '../graph/graph-problem.ts';
import type { Profile } from '../graph/profile.ts';
import type { SendAction } from './action-form.ts';
import { toOpenOutcome } from './unseen-outcome.ts';
import type { WriteContext } from './write-attempt.ts';
import type { WriteOutcome } from './write-outcome.ts';

/** Revokes the token of a profile. Never rejects. */
export type RevokeToken = (profile: Profile, context: WriteContext) => Promise<WriteOutcome>;

/**
 * revokeToken: not repeated and not read back when its answer is lost, because a new token may stand on the profile by then.
 */
export const createTokenRevocation =
  ({ graph, sendAction }: Readonly<{ graph: GraphClient; sendAction: SendAction }>): RevokeToken =>
  async (profile, context) => {
    const sent = await sendAction(profile, graph.revokeToken, context);
    const { upstream } = sent;
    if (sent.kind === 'refused') return { result: 'failed', problem: sent.problem, upstream };
    if (sent.kind === 'answered') {
      const { answer } = sent;
      if (answer.status === 204) return { result: 'success', upstream };
      if (answer.status === 503) return { result: 'failed', problem: toGraphUnavailable(answer), upstream };
    }
    return toOpenOutcome(sent);
  };
