import { ProblemError } from '../errors.ts';
import type { GraphAnswer } from '../graph/graph-answer.ts';
import { toGraphRefusal } from '../graph/graph-problem.ts';
import type { Mutable } from '../mutable.ts';
import { toCountedRefusal } from './counted-refusal.ts';
import { isGone, whileHere } from './deadline.ts';
import { createAfterUnauthorised, type Renewal, type UnauthorisedOptions } from './unauthorised.ts';
import {
  createWriteAttempt,
  type Attempt,
  type PostWrite,
  type WriteAttemptOptions,
  type WriteContext,
} from './write-attempt.ts';
import type { Upstream } from './write-outcome.ts';

/** What is known after a write was sent: Graph refused it, answered in another way, or its answer was lost. */
export type Sent = Readonly<{ upstream: Upstream }> & Exclude<Attempt, Readonly<{ kind: 'unsent' }>>;

/** Sends one write, and again only when Graph certainly did not act (contract 6.3). Never rejects. */
export type SendWrite = (post: PostWrite, context: WriteContext) => Promise<Sent>;

type SendWriteOptions = WriteAttemptOptions &
  UnauthorisedOptions &
  Readonly<{ wait?: (milliseconds: number) => Promise<void> }>;

/** How often one write may be tried, and the milliseconds before a connection is tried again. */
const MOST_ATTEMPTS = 4;
const RECONNECT_DELAY = 100;
/** Milliseconds by which any pause after a 429 is surely over, and that must be left then. */
const SURELY_OVER = 20;
const LEFT_AFTER_WAIT = 1000;
const RECONNECT_RETRY_AFTER_SECONDS = 5;

/**
 * Seconds to wait after a 429: what it named, else what the throttle may pause for at the most after so many of them
 * (blocked-until.ts, which takes 0 for no time).
 */
const toPauseSeconds = ({ retryAfterSeconds = 0 }: GraphAnswer, attempts: number): number =>
  retryAfterSeconds > 0 ? retryAfterSeconds : 2 ** (attempts - 1);

type Refused = Extract<Attempt, { kind: 'refused' }>;
type Unsent = Extract<Attempt, { kind: 'unsent' }>;

/** Another try after a delay, if the time and the number of tries allow it, `otherwise` this refusal. */
type Again = Readonly<{ kind: 'again'; delayMs: number; otherwise: ProblemError }>;
/** Another try at once, with a new Graph token. */
type Renewed = Readonly<{ kind: 'renewed'; renewal: Renewal }>;

const toRefused = (problem: ProblemError): Refused => ({ kind: 'refused', problem });

function afterUnsent({ error: cause }: Unsent): Again | Refused {
  if (cause.reason === 'timeout' || cause.reason === 'aborted') {
    return toRefused(new ProblemError('upstream_timeout', undefined, { cause }));
  }
  const retryAfterSeconds = RECONNECT_RETRY_AFTER_SECONDS;
  const otherwise = new ProblemError('graph_unavailable', undefined, { cause, retryAfterSeconds });
  return { kind: 'again', delayMs: RECONNECT_DELAY, otherwise };
}

function toUpstream(attempt: Attempt, before: Upstream | undefined, durationMs: number): Upstream {
  const { attempts = 0 } = before ?? {};
  if (attempt.kind === 'refused') return { ...before, attempts, durationMs };
  const upstream: Mutable<Upstream> = { attempts: attempts + 1, durationMs };
  if (attempt.kind === 'answered') {
    const { status, requestId } = attempt.answer;
    upstream.status = status;
    if (requestId !== undefined) upstream.requestId = requestId;
  }
  return upstream;
}

const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, milliseconds);
  });

export function createSendWrite(options: SendWriteOptions): SendWrite {
  const { exchange, now = Date.now, wait = sleep } = options;
  const attemptWrite = createWriteAttempt(options);
  const afterUnauthorised = createAfterUnauthorised(options);

  const toNext = (
    attempt: Attempt,
    { caller }: WriteContext,
    tried: Renewal,
    attempts: number,
  ): Exclude<Attempt, Unsent> | Again | Renewed => {
    if (attempt.kind === 'unsent') return afterUnsent(attempt);
    if (attempt.kind !== 'answered') return attempt;
    const { answer, token } = attempt;
    if (answer.status === 401) {
      exchange.drop(caller, token);
      const next = afterUnauthorised(answer, caller, tried);
      return next instanceof ProblemError ? toRefused(next) : { kind: 'renewed', renewal: next };
    }
    const refusal = toGraphRefusal(answer);
    if (!refusal) return attempt;
    if (answer.status !== 429) return toRefused(refusal);
    return {
      kind: 'again',
      delayMs: toPauseSeconds(answer, attempts) * 1000 + SURELY_OVER,
      otherwise: refusal,
    };
  };

  return async (post, context) => {
    const startedAt = now();
    const { deadline } = context;
    let tried: Renewal = { renewed: false };
    let upstream: Upstream | undefined;
    let isCounted = false;

    for (;;) {
      const attempt = await attemptWrite(post, context, tried.claims);
      if (attempt.kind === 'answered') isCounted = true;
      upstream = toUpstream(attempt, upstream, now() - startedAt);
      const next = toNext(attempt, context, tried, upstream.attempts);
      switch (next.kind) {
        case 'renewed':
          tried = next.renewal;
          break;
        case 'again': {
          const isAllowed =
            upstream.attempts < MOST_ATTEMPTS &&
            deadline.remainingMs() > next.delayMs + LEFT_AFTER_WAIT &&
            !isGone(deadline);
          if (!isAllowed) return { ...toRefused(next.otherwise), upstream };
          await whileHere(wait(next.delayMs), deadline);
          break;
        }
        case 'refused': {
          const problem = isCounted ? toCountedRefusal(next.problem) : next.problem;
          return { ...toRefused(problem), upstream };
        }
        default:
          return Object.assign(next, { upstream });
      }
    }
  };
}
