import { toGraphUnavailable, toUpstreamFailed, toUpstreamInvalid } from '../graph/graph-problem.ts';
import { toOpenProblem } from './open-problem.ts';
import type { Sighting } from './read-back.ts';
import type { Sent } from './send-write.ts';
import type { WriteOutcome } from './write-outcome.ts';

type Answered = Extract<Sent, { kind: 'answered' }>;
type Lost = Extract<Sent, { kind: 'lost' }>;

/**
 * What a create without a documented answer is when its token was not seen on the profile (contract 4): after some answers
 * certainly nothing, after others open, because Graph may act later or show it late.
 */
export function toUnseenOutcome(
  sent: Answered | Lost,
  sighting: Exclude<Sighting['kind'], 'seen'>,
): WriteOutcome {
  const { upstream } = sent;
  const isInvalid = sent.kind === 'lost' ? sent.reason === 'informational' : sent.answer.status < 300;
  const code = isInvalid ? 'upstream_invalid' : 'outcome_unknown';
  const open = { result: 'unknown', problem: toOpenProblem(code), upstream } as const;
  if (sent.kind === 'lost' || isInvalid) return open;

  const { answer } = sent;
  if (answer.status < 400) return { result: 'failed', problem: toUpstreamInvalid(answer), upstream };
  if (answer.status === 502 || answer.status === 504 || sighting !== 'not_seen') return open;
  const problem = answer.status === 503 ? toGraphUnavailable(answer) : toUpstreamFailed(answer);
  return { result: 'failed', problem, upstream };
}
