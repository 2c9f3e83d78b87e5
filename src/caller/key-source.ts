import { ProblemError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Outbound } from '../outbound.ts';
import { loadKeySet, type KeyLocation, type KeySet } from './key-set.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
/** Entra's own guidance: refresh hourly, and keep what was good for 24 hours. */
const FRESH_MS = HOUR;
const LAST_KNOWN_GOOD_MS = 24 * HOUR;
/** Keys that nobody asked Entra about for longer may hold a withdrawn one: a request waits for the refresh that it causes. */
const UNHEARD_MS = 2 * FRESH_MS;
/** Entra's guidance says 5 minutes; then one made-up `kid` would hide an emergency key for as long. */
const UNKNOWN_KEY_COOL_DOWN_MS = 30 * SECOND;
/** After a failure with good keys at hand, and the longest wait without: recovery must be seen promptly. */
const WARM_BACK_OFF_MS = 30 * SECOND;
const MAX_COLD_BACK_OFF_MS = 5 * SECOND;

/** The signing keys of one tenant, kept fresh by use: there is no timer, hence nothing to stop. */
export type KeySource = Readonly<{
  tenantId: string;
  /** Begins to load unless fresh keys are there; never fails. */
  start: () => void;
  /** Whether good keys are there, for /readyz. Asking counts as use, so an idle instance becomes ready by being probed. */
  ready: () => boolean;
  /** The good keys of this moment. The same object until their content changes. */
  currentKeySet: () => KeySet | undefined;
  /** A mark of this moment: only what is loaded after it shows all that was published before it. */
  mark: () => Mark;
  /**
   * The keys to judge a token by that names `kid`: loaded if there are none, looked for anew if `kid` is not among them.
   * @throws {ProblemError} `entra_unavailable` while there are no good keys, or `kid` is unknown and Entra cannot be asked.
   */
  keySetFor: (kid: string, arrival?: Mark) => Promise<KeySet>;
  /**
   * The keys to judge a token by once more whose signature did not hold under `keySet`: a key may have been replaced by one of
   * the same name. It is looked for as an unknown `kid` is, and no more often; the same object if there are no others.
   */
  keySetAfter: (keySet: KeySet, arrival?: Mark) => Promise<KeySet>;
}>;

/** Loads begun so far. */
export type Mark = number;

export type KeySourceOptions = KeyLocation &
  Readonly<{
    outbound: Outbound;
    log: Logger;
    now?: () => number;
    onLoad?: (result: 'unchanged' | 'changed' | 'failed') => void;
  }>;

export function createKeySource(options: KeySourceOptions): KeySource {
  const { outbound, log, now = Date.now, onLoad } = options;
  const tenantId = options.tenantId.toLowerCase();

  let good: Readonly<{ keySet: KeySet; at: number }> | undefined;
  let loading: Promise<void> | undefined;
  /** Loads are numbered; a load begun after a moment has seen every key published before it. */
  let lastBegun = 0;
  let lastEnded = 0;
  let failures = 0;
  let failedAt = -Infinity;
  let searchedAt = -Infinity;

  /** Either way: a clock that was set back far makes nothing last for ever. */
  const isWithin = (start: number, duration: number): boolean => Math.abs(now() - start) < duration;
  const currentKeySet = (): KeySet | undefined =>
    good !== undefined && isWithin(good.at, LAST_KNOWN_GOOD_MS) ? good.keySet : undefined;
  const isFresh = (): boolean => good !== undefined && isWithin(good.at, FRESH_MS);
  const backOff = (): number =>
    currentKeySet() === undefined
      ? Math.min(SECOND * 2 ** (failures - 1), MAX_COLD_BACK_OFF_MS)
      : WARM_BACK_OFF_MS;
  const isBackingOff = (): boolean => failures > 0 && isWithin(failedAt, backOff());
  /** Whether Entra gave neither keys nor a failure for long. After a failure nobody waits: a stall holds up one load's callers. */
  const isUnheard = (): boolean =>
    good !== undefined && Math.min(Math.abs(now() - good.at), Math.abs(now() - failedAt)) > UNHEARD_MS;
  const mayLoad = (): boolean => loading !== undefined || !isBackingOff();

  /** Joins the load under way, or begins one. Never rejects. */
  function load(): Promise<void> {
    loading ??= loadOnce().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  async function loadOnce(): Promise<void> {
    lastBegun += 1;
    const at = now();
    try {
      const keySet = await loadKeySet(outbound, { ...options, tenantId });
      const isChanged = keySet.fingerprint !== good?.keySet.fingerprint;
      good = { keySet: isChanged || good === undefined ? keySet : good.keySet, at };
      failures = 0;
      onLoad?.(isChanged ? 'changed' : 'unchanged');
    } catch (error) {
      failures += 1;
      failedAt = now();
      log.warn('the signing keys could not be loaded', { tenantId, failures, error });
      onLoad?.('failed');
    } finally {
      lastEnded = lastBegun;
    }
  }

  function refreshWhenDue(): void {
    if (!isFresh() && mayLoad()) void load();
  }

  /** Ends when it is found, when a load begun after `arrival` did not bring it, or when none may be begun. */
  async function search(isFound: () => boolean, arrival: Mark): Promise<void> {
    const isSettled = (): boolean => isFound() || lastEnded > arrival;
    while (!isSettled()) {
      if (loading === undefined) {
        if (isWithin(searchedAt, UNKNOWN_KEY_COOL_DOWN_MS)) return;
        searchedAt = now();
      }
      await load();
    }
  }

  async function keySetFor(kid: string, arrival = lastBegun): Promise<KeySet> {
    refreshWhenDue();
    if (loading !== undefined && (currentKeySet() === undefined || isUnheard())) await loading;
    if (currentKeySet() === undefined) throw unavailable(failedAt + backOff() - now());

    await search(() => currentKeySet()?.keys.has(kid) === true, arrival);
    const keySet = currentKeySet();
    if (keySet === undefined) throw unavailable(0);
    // While Entra cannot be asked, nobody knows whether the key exists: a 401 would be a guess.
    if (!keySet.keys.has(kid) && failures > 0)
      throw unavailable(searchedAt + UNKNOWN_KEY_COOL_DOWN_MS - now());
    return keySet;
  }

  async function keySetAfter(keySet: KeySet, arrival = lastBegun): Promise<KeySet> {
    await search(() => currentKeySet() !== keySet, arrival);
    return currentKeySet() ?? keySet;
  }

  return {
    tenantId,
    currentKeySet,
    mark: () => lastBegun,
    keySetFor,
    keySetAfter,
    start: refreshWhenDue,
    ready: () => {
      refreshWhenDue();
      return currentKeySet() !== undefined;
    },
  };
}

/**
 * Charged to the address like a failed token, although it may be a good one: nobody knows, and each of these leaves a line in the
 * log, so that a flood of made-up tokens would fill the disk for as long as Entra cannot be asked.
 */
function unavailable(waitMs: number): ProblemError {
  return new ProblemError('entra_unavailable', undefined, {
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / SECOND)),
  });
}
