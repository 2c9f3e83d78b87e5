import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Caller } from '../caller/caller.ts';
import { ProblemError, type ProblemCode } from '../errors.ts';
import type { Exchange, GraphToken } from './graph-token.ts';

/** Milliseconds before its end at which a token is no longer handed out, unless a tenth of its life is less. */
const LONGEST_MARGIN = 5 * 60_000;
/** Refusals that repeating cannot change soon, and how many milliseconds they are remembered. */
const LASTING_REFUSALS: ReadonlySet<ProblemCode> = new Set(['consent_required', 'policy_denied']);
const REFUSAL_LIFETIME = 30_000;

type Entry = Readonly<{ token: GraphToken } | { refusal: ProblemError }>;

/** An exchange whose results are kept; `drop` forgets a Graph token that Graph no longer accepts. */
export type CachedExchange = Readonly<{
  exchange: Exchange;
  drop: (caller: Caller, token: GraphToken) => void;
}>;

type TokenCacheOptions = Readonly<{
  scope: string;
  now?: () => number;
  maxEntries?: number;
  onLookup?: (result: 'hit' | 'miss') => void;
}>;

/**
 * Keeps each Graph token for exactly the assertion it was given for: the key is the SHA-256 of the whole assertion with
 * tenant, scope and claims, so two callers, or two tokens of one caller, never share an entry. Identical exchanges under way
 * are joined. An entry ends before the earlier of the Graph token's and the assertion's own end.
 */
export function withTokenCache(
  inner: Exchange,
  { scope, now = Date.now, maxEntries = 10_000, onLookup }: TokenCacheOptions,
): CachedExchange {
  // lru-cache takes a start of 0 for "no start": a clock that begins above it.
  const entries = new LRUCache<string, Entry>({
    max: maxEntries,
    perf: { now: () => now() + 1 },
    ttlResolution: 0,
  });
  const underWay = new Map<string, Promise<GraphToken>>();

  const toKey = (caller: Caller, claims: string | undefined): string =>
    createHash('sha256')
      .update(`${caller.tenantId}\n${scope}\n${claims ?? ''}\n`)
      .update(caller.assertion.reveal())
      .digest('base64');

  const run = async (key: string, caller: Caller, claims: string | undefined): Promise<GraphToken> => {
    try {
      const token = await inner(caller, claims === undefined ? {} : { claims });
      const end = Math.min(token.expiresAt, caller.expiresAt);
      const life = end - now();
      const ttl = Math.floor(life - Math.min(LONGEST_MARGIN, life / 10));
      if (ttl > 0) entries.set(key, { token }, { ttl });
      return token;
    } catch (error) {
      if (error instanceof ProblemError && LASTING_REFUSALS.has(error.code)) {
        entries.set(key, { refusal: error }, { ttl: REFUSAL_LIFETIME });
      }
      throw error;
    } finally {
      underWay.delete(key);
    }
  };

  const exchange: Exchange = async (caller, options = {}) => {
    const key = toKey(caller, options.claims);
    const entry = entries.get(key);
    onLookup?.(entry ? 'hit' : 'miss');
    if (entry) {
      if ('refusal' in entry) throw entry.refusal;
      return entry.token;
    }
    let joined = underWay.get(key);
    if (!joined) {
      // Without the signal of the request that came first: others may wait for the same answer.
      joined = run(key, caller, options.claims);
      underWay.set(key, joined);
    }
    return options.signal ? withDeadline(joined, options.signal) : joined;
  };

  return {
    exchange,
    drop: (caller, token) => {
      for (const key of [toKey(caller, undefined), toKey(caller, token.claims)]) {
        const entry = entries.peek(key);
        if (entry && 'token' in entry && entry.token === token) entries.delete(key);
      }
    },
  };
}

/** Waits for `exchange` until the deadline of this one request; nothing went to Graph yet, so that end is certain. */
const withDeadline = (exchange: Promise<GraphToken>, signal: AbortSignal): Promise<GraphToken> =>
  new Promise((resolve, reject) => {
    const giveUp = () => reject(new ProblemError('upstream_timeout'));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    exchange.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
