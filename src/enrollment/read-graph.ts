import { ProblemError } from '../errors.ts';
import type { GraphAnswer } from '../graph/graph-answer.ts';
import type { GraphCallContext } from '../graph/graph-client.ts';
import { toGraphUnavailable, toUpstreamFailed, toUpstreamInvalid } from '../graph/graph-problem.ts';
import { toCountedRefusal } from './counted-refusal.ts';
import type { SendWrite, Sent } from './send-write.ts';
import type { WriteContext } from './write-attempt.ts';
import type { Upstream } from './write-outcome.ts';

/** How a read at Graph ended. */
export type ReadOutcome =
  | Readonly<{
      result: 'success';
      answer: GraphAnswer;
      askedAt: number;
      answeredAt: number;
      upstream: Upstream;
    }>
  | Readonly<{ result: 'failed'; problem: ProblemError; upstream: Upstream }>;

/** Reads at Graph as the caller. Never rejects. */
export type ReadGraph = (
  get: (context: GraphCallContext) => Promise<GraphAnswer>,
  context: WriteContext,
) => Promise<ReadOutcome>;

type ReadGraphOptions = Readonly<{
  /** What renews tokens, waits for throttling and refuses is the same for reads as for writes. */
  send: SendWrite;
  now?: () => number;
}>;

/** Whether the answer to a read was lost on the way, so that the same question may well be answered. */
const isLost = (sent: Sent): boolean =>
  sent.kind === 'lost' && (sent.reason === 'reset' || sent.reason === 'invalid_response');

/** What the caller is told (contract 4); a read changes nothing, so every failure is certain. */
function toReadProblem(sent: Sent): ProblemError | undefined {
  if (sent.kind === 'refused') return sent.problem;
  if (sent.kind === 'lost') {
    switch (sent.reason) {
      case 'timeout':
      case 'aborted':
        return new ProblemError('upstream_timeout');
      case 'reset':
      case 'unreachable':
      case 'tls':
        return new ProblemError('upstream_failed', 'Microsoft Graph gave no answer. Nothing was changed.');
      default:
        return toUpstreamInvalid();
    }
  }
  const { answer } = sent;
  if (answer.status === 200) return answer.json === undefined ? toUpstreamInvalid(answer) : undefined;
  if (answer.status < 400) return toUpstreamInvalid(answer);
  return answer.status === 503 ? toGraphUnavailable(answer) : toUpstreamFailed(answer);
}

/** Reads, and once more when the answer was lost on the way. */
export function createReadGraph({ send, now = Date.now }: ReadGraphOptions): ReadGraph {
  return async (get, context) => {
    const startedAt = now();
    let sent = await send(get, context);
    let { attempts } = sent.upstream;
    if (isLost(sent) && context.deadline.remainingMs() > 0) {
      sent = await send(get, context);
      attempts += sent.upstream.attempts;
      if (sent.kind === 'refused') sent = { ...sent, problem: toCountedRefusal(sent.problem) };
    }
    const upstream = { ...sent.upstream, attempts, durationMs: now() - startedAt };
    const problem = toReadProblem(sent);
    if (problem) return { result: 'failed', problem, upstream };
    if (sent.kind !== 'answered') throw new Error('a read that was not answered has no problem');
    return { result: 'success', answer: sent.answer, askedAt: sent.sentAt, answeredAt: now(), upstream };
  };
}
