import type { Caller } from '../caller/caller.ts';
import { ProblemError, toProblem } from '../errors.ts';
import type { GraphToken } from '../exchange/graph-token.ts';
import type { CachedExchange } from '../exchange/token-cache.ts';
import type { GraphAnswer } from '../graph/graph-answer.ts';
import type { GraphCallContext } from '../graph/graph-client.ts';
import type { GraphPassage, GraphThrottle } from '../limits/graph-throttle.ts';
import { OutboundError, type OutboundFailure } from '../outbound.ts';
import { isGone, toGoneProblem, type Deadline } from './deadline.ts';

/** Whose write it is, how Intune's support finds it, and how long it may take. */
export type WriteContext = Readonly<{ caller: Caller; clientRequestId: string; deadline: Deadline }>;

/** One call to Graph; rejects with OutboundError. */
export type PostWrite = (context: GraphCallContext) => Promise<GraphAnswer>;

/** A write that left, and what is needed to look for its effect. */
type Out = Readonly<{ token: GraphToken; sentAt: number }>;

/** How sending a write once ended. */
export type Attempt =
  /** Not even tried: no Graph token, no time, or Graph wants a pause. */
  | Readonly<{ kind: 'refused'; problem: ProblemError }>
  /** Certainly not one byte of it left. */
  | Readonly<{ kind: 'unsent'; error: OutboundError }>
  | (Out & Readonly<{ kind: 'lost'; reason: OutboundFailure }>)
  | (Out & Readonly<{ kind: 'answered'; answer: GraphAnswer }>);

/** Gets a Graph token (with these claims) and sends the write once. Never rejects. */
type AttemptWrite = (post: PostWrite, context: WriteContext, claims?: string) => Promise<Attempt>;

export type WriteAttemptOptions = Readonly<{
  exchange: CachedExchange;
  throttle: GraphThrottle;
  /** Milliseconds for one call to Graph. */
  upstreamTimeoutMs: number;
  now?: () => number;
}>;

/** The part of the remaining time that one write may use, so that a lost answer can still be settled. */
const WRITE_SHARE = 0.6;

/** 429, and a 503 that names a time, are Graph's word that it wants a pause. */
function toPassageEnd({ status, retryAfterSeconds }: GraphAnswer): Parameters<GraphPassage['settle']>[0] {
  if (status !== 429 && (status !== 503 || retryAfterSeconds === undefined)) return { kind: 'answered' };
  return { kind: 'throttled', ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
}

/** Nothing is sent that could not be waited for. */
function requireTime(deadline: Deadline): void {
  if (deadline.remainingMs() === 0) throw new ProblemError('upstream_timeout');
  if (isGone(deadline)) throw toGoneProblem();
}

export function createWriteAttempt(options: WriteAttemptOptions): AttemptWrite {
  const { exchange, throttle, upstreamTimeoutMs, now = Date.now } = options;

  const admit = async ({ caller, deadline }: WriteContext, claims: string | undefined) => {
    const token = await exchange.exchange(caller, claims === undefined ? { deadline } : { deadline, claims });
    requireTime(deadline);
    const passage = await throttle.admit(caller.tenantId);
    try {
      // Redis may have been waited for.
      requireTime(deadline);
    } catch (error) {
      await passage.settle({ kind: 'unsent' }).catch(() => undefined);
      throw error;
    }
    return { token, passage };
  };

  return async (post, writeContext, claims) => {
    const { clientRequestId, deadline } = writeContext;
    let admitted: Awaited<ReturnType<typeof admit>>;
    try {
      admitted = await admit(writeContext, claims);
    } catch (error) {
      return { kind: 'refused', problem: toProblem(error) };
    }
    const { token, passage } = admitted;
    // What happened at Graph stands, whatever becomes of the note about it.
    const settle = (end: Parameters<GraphPassage['settle']>[0]) => passage.settle(end).catch(() => undefined);

    const sentAt = now();
    const context: GraphCallContext = {
      token: token.value,
      clientRequestId,
      timeoutMs: Math.ceil(Math.min(upstreamTimeoutMs, deadline.remainingMs() * WRITE_SHARE)),
    };
    try {
      const answer = await post(context);
      await settle(toPassageEnd(answer));
      return { kind: 'answered', answer, token, sentAt };
    } catch (thrown) {
      // What cannot be told to have stayed here counts as sent.
      const error = thrown instanceof OutboundError ? thrown : new OutboundError('lost', 'invalid_response');
      await settle({ kind: error.kind === 'lost' ? 'answered' : 'unsent' });
      return error.kind === 'lost'
        ? { kind: 'lost', reason: error.reason, token, sentAt }
        : { kind: 'unsent', error };
    }
  };
}
