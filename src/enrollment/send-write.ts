import type { Caller } from '../caller/caller.ts';
import { ProblemError, toProblem } from '../errors.ts';
import { parseClaims, type ToClaimsChallenge } from '../exchange/entra-error.ts';
import type { GraphToken } from '../exchange/graph-token.ts';
import type { CachedExchange } from '../exchange/token-cache.ts';
import type { GraphAnswer } from '../graph/graph-answer.ts';
import type { GraphCallContext } from '../graph/graph-client.ts';
import { toGraphRefusal, toThrottled, toUpstreamFailed } from '../graph/graph-problem.ts';
import type { GraphPassage, GraphThrottle } from '../limits/graph-throttle.ts';
import { OutboundError, type OutboundFailure } from '../outbound.ts';
import type { Deadline } from './deadline.ts';
import type { Upstream } from './write-outcome.ts';

/** What is known after a write was sent: Graph refused it, answered in another way, or its answer was lost. */
export type Sent = Readonly<{ upstream: Upstream }> &
  (
    | Readonly<{ kind: 'refused'; problem: ProblemError }>
    | Readonly<{ kind: 'answered'; answer: GraphAnswer; context: GraphCallContext; sentAt: number }>
    | Readonly<{ kind: 'lost'; reason: OutboundFailure; context: GraphCallContext; sentAt: number }>
  );

export type WriteContext = Readonly<{ caller: Caller; clientRequestId: string; deadline: Deadline }>;

/** Sends one write, and again only when Graph certainly did not act (contract 6.3). Never rejects. */
export type SendWrite = (
  post: (context: GraphCallContext) => Promise<GraphAnswer>,
  context: WriteContext,
) => Promise<Sent>;

type SendWriteOptions = Readonly<{
  exchange: CachedExchange;
  throttle: GraphThrottle;
  toClaimsChallenge: ToClaimsChallenge;
  /** Milliseconds for one call to Graph. */
  upstreamTimeoutMs: number;
  enableCae: boolean;
  now?: () => number;
  wait?: (milliseconds: number) => Promise<void>;
}>;

/** How often one write may be sent, and the milliseconds before a connection is tried again. */
const MOST_ATTEMPTS = 4;
const RECONNECT_DELAY = 100;
/** Seconds to wait after a 429 that names no time, and the milliseconds that must be left after any wait. */
const UNNAMED_DELAY = 1;
const LEFT_AFTER_WAIT = 1000;
/** The part of the remaining time that a write may use, so that a lost answer can still be settled. */
const WRITE_SHARE = 0.6;

const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, milliseconds);
  });

/** 429, and a 503 that names a time, are Graph's word that it wants a pause. */
function toPassageEnd({ status, retryAfterSeconds }: GraphAnswer): Parameters<GraphPassage['settle']>[0] {
  if (status !== 429 && (status !== 503 || retryAfterSeconds === undefined)) return { kind: 'answered' };
  return { kind: 'throttled', ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
}

export function createSendWrite(options: SendWriteOptions): SendWrite {
  const { exchange, throttle, toClaimsChallenge, upstreamTimeoutMs, enableCae } = options;
  const { now = Date.now, wait = sleep } = options;

  return async (post, { caller, clientRequestId, deadline }) => {
    const startedAt = now();
    let attempts = 0;
    let last: GraphAnswer | undefined;
    let claims: string | undefined;
    let renewed = false;

    const toUpstream = (): Upstream => ({
      ...(last?.requestId !== undefined && { requestId: last.requestId }),
      ...(last !== undefined && { status: last.status }),
      attempts,
      durationMs: now() - startedAt,
    });
    const refuse = (problem: ProblemError): Sent => ({ kind: 'refused', problem, upstream: toUpstream() });
    const allows = (delayMs: number): boolean =>
      attempts < MOST_ATTEMPTS && deadline.remainingMs() > delayMs + LEFT_AFTER_WAIT;
    const challenge = (wanted: string | undefined): Sent =>
      refuse(
        new ProblemError(
          'claims_challenge',
          'Microsoft Graph asks the user to sign in again. Acquire a new token with the claims in WWW-Authenticate; a caller that cannot do so must send its user to sign in interactively.',
          { challenge: toClaimsChallenge(caller.tenantId, wanted) },
        ),
      );

    for (;;) {
      let token: GraphToken;
      let passage: GraphPassage;
      try {
        token = await exchange.exchange(caller, {
          ...(claims !== undefined && { claims }),
          signal: deadline.signal,
        });
        if (deadline.remainingMs() === 0) throw new ProblemError('upstream_timeout');
        passage = await throttle.admit(caller.tenantId);
      } catch (error) {
        return refuse(toProblem(error));
      }

      const sentAt = now();
      const context: GraphCallContext = {
        token: token.value,
        clientRequestId,
        timeoutMs: Math.ceil(Math.min(upstreamTimeoutMs, deadline.remainingMs() * WRITE_SHARE)),
        signal: deadline.signal,
      };
      let answer: GraphAnswer;
      attempts += 1;
      last = undefined;
      try {
        answer = await post(context);
      } catch (error) {
        // What cannot be told to have stayed here counts as sent.
        const failure =
          error instanceof OutboundError ? error : new OutboundError('lost', 'invalid_response');
        await passage.settle({ kind: failure.kind === 'lost' ? 'answered' : 'unsent' });
        if (failure.kind === 'lost') {
          return { kind: 'lost', reason: failure.reason, context, sentAt, upstream: toUpstream() };
        }
        if (failure.reason === 'timeout' || failure.reason === 'aborted') {
          return refuse(new ProblemError('upstream_timeout', undefined, { cause: error }));
        }
        if (!allows(RECONNECT_DELAY)) {
          return refuse(
            new ProblemError('graph_unavailable', undefined, { cause: error, retryAfterSeconds: 5 }),
          );
        }
        await wait(RECONNECT_DELAY);
        continue;
      }
      last = answer;
      await passage.settle(toPassageEnd(answer));

      if (answer.status === 401) {
        exchange.drop(caller, token);
        if (answer.challenge) {
          const wanted = parseClaims(answer.challenge.claims);
          if (!enableCae || claims !== undefined || wanted === undefined) return challenge(wanted);
          claims = wanted;
          continue;
        }
        if (renewed) return refuse(toUpstreamFailed(answer));
        renewed = true;
        continue;
      }
      if (answer.status === 429) {
        const delayMs = (answer.retryAfterSeconds ?? UNNAMED_DELAY) * 1000;
        if (!allows(delayMs)) return refuse(toThrottled(answer.retryAfterSeconds));
        await wait(delayMs);
        continue;
      }
      const refusal = toGraphRefusal(answer);
      if (refusal) return refuse(refusal);
      return { kind: 'answered', answer, context, sentAt, upstream: toUpstream() };
    }
  };
}
