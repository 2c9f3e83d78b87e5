import type { GraphClient } from '../graph/graph-client.ts';
import { toGraphUnavailable } from '../graph/graph-problem.ts';
import type { Profile } from '../graph/profile.ts';
import { toOpenProblem } from './open-problem.ts';
import type { SendWrite } from './send-write.ts';
import type { WriteContext } from './write-attempt.ts';
import type { WriteOutcome } from './write-outcome.ts';

/** Revokes the token of a profile. Never rejects. */
export type RevokeToken = (profile: Profile, context: WriteContext) => Promise<WriteOutcome>;

/**
 * revokeToken: not repeated and not read back when its answer is lost, because a new token may stand on the profile by then.
 */
export const createTokenRevocation =
  ({ graph, sendWrite }: Readonly<{ graph: GraphClient; sendWrite: SendWrite }>): RevokeToken =>
  async (profile, context) => {
    const sent = await sendWrite((call) => graph.revokeToken(profile, call), context);
    const { upstream } = sent;
    if (sent.kind === 'refused') return { result: 'failed', problem: sent.problem, upstream };
    const open = { result: 'unknown', problem: toOpenProblem(), upstream } as const;
    const openInvalid = { ...open, problem: toOpenProblem('upstream_invalid') } as const;
    if (sent.kind === 'lost') return sent.reason === 'informational' ? openInvalid : open;

    const { answer } = sent;
    if (answer.status === 204) return { result: 'success', upstream };
    if (answer.status === 503) return { result: 'failed', problem: toGraphUnavailable(answer), upstream };
    return answer.status >= 400 ? open : openInvalid;
  };
