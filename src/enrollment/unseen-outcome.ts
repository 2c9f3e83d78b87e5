import { toGraphUnavailable, toUpstreamFailed } from '../graph/graph-problem.ts';
import { toOpenProblem } from './open-problem.ts';
import type { Sighting } from './read-back.ts';
import type { Sent } from './send-write.ts';
import type { WriteOutcome } from './write-outcome.ts';

type Answered = Extract<Sent, { kind: 'answered' }>;
type Lost = Extract<Sent, { kind: 'lost' }>;

/** The failures that contract 4 takes at Graph's word: not seen means not done. */
const CERTAIN: ReadonlySet<number> = new Set([500, 503, 507, 509]);

/**
 * What a create without a documented answer is when its token was not seen on the profile (contract 4): after some answers
 * certainly nothing, after all others open, because Graph may act later or show it late.
 */
export function toUnseenOutcome(
  sent: Answered | Lost,
  sighting: Exclude<Sighting['kind'], 'seen'>,
): WriteOutcome {
  const { upstream } = sent;
  if (sent.kind === 'answered' && CERTAIN.has(sent.answer.status) && sighting === 'not_seen') {
    const { answer } = sent;
    const problem = answer.status === 503 ? toGraphUnavailable(answer) : toUpstreamFailed(answer);
    return { result: 'failed', problem, upstream };
  }
  return toOpenOutcome(sent);
}

/** What a write is of which nobody knows whether Graph acted. */
export function toOpenOutcome(sent: Answered | Lost): WriteOutcome {
  const isInvalid = sent.kind === 'lost' ? sent.reason === 'informational' : sent.answer.status < 400;
  const problem = toOpenProblem(isInvalid ? 'upstream_invalid' : 'outcome_unknown');
  return { result: 'unknown', problem, upstream: sent.upstream };
}
