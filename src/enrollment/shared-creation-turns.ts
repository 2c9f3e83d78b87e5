import { randomUUID } from 'node:crypto';
import { ProblemError } from '../errors.ts';
import {
  KEEP_MS,
  type RedisCreationTurn,
  type TakenTurn,
  type TurnOwner,
} from '../limits/redis-creation-turn.ts';
import type { Audited } from './audited.ts';
import type { CreationTurns } from './creation-turns.ts';
import { isGone, toGoneProblem, type Patience } from './deadline.ts';
import { toProfileKey, type ProfileWrites } from './profile-writes.ts';

type SharedCreationTurnsOptions = Readonly<{
  redis: RedisCreationTurn;
  /** In this process: who waits here comes before Redis is asked, and alone counts while Redis is gone. */
  local: CreationTurns;
  /** To be told of the other replicas' creations. */
  writes: ProfileWrites;
  /** Names this process. */
  replica?: string;
  now?: () => number;
}>;

/** Milliseconds between two questions whether it is our turn; two replicas do not ask in step. */
const toAskMs = (): number => 20 + Math.random() * 20;

/** When a write was sent of which another replica said only that it is open. */
const SOME_TIME = Number.NEGATIVE_INFINITY;

/** `open`: Graph may have acted, and may still. */
type Effect = 'none' | 'ended' | 'open';

/** What Graph may have created: nothing when nothing was sent, unless a crash of ours hides that. */
function toEffect({ outcome }: Audited): Effect {
  if (outcome.result === 'unknown') return 'open';
  return outcome.upstream.attempts > 0 ? 'ended' : 'none';
}

/**
 * Turns for all replicas. While Redis is gone each replica has turns of its own, and what is open stays open: whether another
 * replica has created since is not known then.
 */
export function createSharedCreationTurns({
  redis,
  local,
  writes,
  replica = randomUUID(),
  now = Date.now,
}: SharedCreationTurnsOptions): CreationTurns {
  /** Another replica's creation counts as ours: it began no later, and ended no earlier, than said here. */
  const note = (key: string, { last, openMs }: TakenTurn, askedAt: number): void => {
    if (openMs !== undefined) writes.stayOpen(key, SOME_TIME, now() + openMs);
    if (!last || last.replica === replica) return;
    const endedAt = now() - last.endedMsAgo;
    if (endedAt > (writes.lastEnd(key) ?? -Infinity)) {
      writes.add(key, askedAt - last.beganMsAgo, endedAt, last.request);
    }
  };

  /** `undefined` while Redis is gone. */
  const wait = async (key: string, owner: TurnOwner, patience: Patience): Promise<TakenTurn | undefined> => {
    for (;;) {
      const askedAt = now();
      const taken = await redis.take(key, owner).catch(() => 'gone' as const);
      if (taken === 'gone') return undefined;
      if (taken) {
        note(key, taken, askedAt);
        return taken;
      }
      if (isGone(patience)) throw toGoneProblem();
      await sleep(toAskMs(), patience.signal);
    }
  };

  const inTurn = async <Result>(
    { caller, profile, requestId, deadline }: Parameters<CreationTurns['create']>[0],
    run: (taken: TakenTurn | undefined) => Promise<Result>,
    toEffect: (result: Result) => Effect,
  ): Promise<Result> => {
    const key = toProfileKey(caller, profile);
    const owner = { request: requestId, replica };
    let timer: NodeJS.Timeout | undefined;
    let actedMs: number | undefined;
    let isOpen = false;
    try {
      const taken = await wait(key, owner, deadline);
      const beganAt = now();
      timer = setInterval(() => void redis.keep(key, owner).catch(ignore), KEEP_MS).unref();
      const result = await run(taken);
      const effect = toEffect(result);
      if (effect !== 'none') actedMs = now() - beganAt;
      isOpen = effect === 'open';
      return result;
    } finally {
      clearInterval(timer);
      void redis.end(key, owner, actedMs, isOpen).catch(ignore);
    }
  };

  return {
    create: (request, create) => local.create(request, () => inTurn(request, create, toEffect)),
    look: (request, first, look) =>
      local.look(request, first, () =>
        inTurn(
          request,
          (taken) => look(taken?.last?.request === first),
          () => 'none',
        ),
      ),
  };
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      clearTimeout(timer);
      reject(new ProblemError('upstream_timeout'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    }, milliseconds);
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
}

function ignore(): void {}
