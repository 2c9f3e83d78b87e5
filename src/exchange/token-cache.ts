import type { Caller } from '../caller/caller.ts';
import { ProblemError, type ProblemCode } from '../errors.ts';
import { Secret } from '../secret.ts';
import { toExchangeKey } from './exchange-key.ts';
import type { Exchange, GraphToken } from './graph-token.ts';
import { createSlabs } from './slabs.ts';
import { createUserEntries } from './user-entries.ts';

/** Milliseconds before its end at which a token is no longer handed out, unless a tenth of its life is less. */
const LONGEST_MARGIN = 5 * 60_000;
/** Refusals that repeating cannot change soon, and how many milliseconds they are remembered. */
const LASTING_REFUSALS: ReadonlySet<ProblemCode> = new Set(['consent_required', 'policy_denied']);
const REFUSAL_LIFETIME = 30_000;

type Entry = Readonly<{ token: GraphToken } | { refusal: ProblemError }>;

export type CachedExchange = Readonly<{
  exchange: Exchange;
  /**
   * To be told when Graph refuses a token: everything kept for its user is forgotten, unless something newer took its place
   * already. That it has gone by itself meanwhile says nothing of the user's other tokens.
   */
  drop: (caller: Caller, token: GraphToken) => void;
}>;

type TokenCacheOptions = Readonly<{
  scope: string;
  now?: () => number;
  maxEntries?: number;
  onLookup?: (result: 'hit' | 'miss') => void;
}>;

/**
 * Keeps each Graph token for exactly the assertion it was given for. Identical exchanges under way are joined. An entry ends
 * before the earlier of the Graph token's and the assertion's own end.
 */
export function withTokenCache(
  inner: Exchange,
  { scope, now = Date.now, maxEntries = 60_000, onLookup }: TokenCacheOptions,
): CachedExchange {
  const entries = createUserEntries<Entry>({ maxEntries, now });
  const underWay = new Map<string, Promise<GraphToken>>();
  const toKept = createSlabs();
  const toKey = (caller: Caller, claims?: string): string => toExchangeKey(caller, { scope, claims });

  const keepToken = (caller: Caller, token: GraphToken): void => {
    const life = Math.min(token.expiresAt, caller.expiresAt) - now();
    const milliseconds = Math.floor(life - Math.min(LONGEST_MARGIN, life / 10));
    if (milliseconds <= 0) return;
    entries.keep(toKey(caller), { token }, caller, milliseconds);
    // What satisfied a challenge serves the requests that name none, too.
    if (token.claims !== undefined)
      entries.keep(toKey(caller, token.claims), { token }, caller, milliseconds);
  };

  const run = async (key: string, caller: Caller, claims: string | undefined): Promise<GraphToken> => {
    try {
      const given = await inner(caller, claims === undefined ? {} : { claims });
      const token = { ...given, value: new Secret(toKept(given.value.reveal())) };
      keepToken(caller, token);
      return token;
    } catch (error) {
      if (error instanceof ProblemError && LASTING_REFUSALS.has(error.code)) {
        entries.keep(key, { refusal: error }, caller, REFUSAL_LIFETIME);
      }
      throw error;
    } finally {
      underWay.delete(key);
    }
  };

  const exchange: Exchange = async (caller, { claims, deadline } = {}) => {
    const key = toKey(caller, claims);
    const entry = entries.read(key);
    onLookup?.(entry ? 'hit' : 'miss');
    if (entry) {
      if ('refusal' in entry) throw entry.refusal;
      return entry.token;
    }
    let joined = underWay.get(key);
    if (!joined) {
      // Without the deadline of the request that came first: others may wait for the same answer.
      joined = run(key, caller, claims);
      underWay.set(key, joined);
    }
    return deadline ? withDeadline(joined, deadline.signal) : joined;
  };

  return {
    exchange,
    drop: (caller, token) => {
      const entry = entries.read(toKey(caller));
      if (!entry || ('token' in entry && entry.token === token)) entries.purge(caller);
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
