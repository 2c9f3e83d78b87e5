import type { CachedExchange } from '../exchange/token-cache.ts';
import { endedBy, type CreationWindow } from './creation-window.ts';
import { toProfileKey, type ProfileWrites } from './profile-writes.ts';
import type { Creation, ReadBack } from './read-back.ts';
import type { WriteContext } from './write-attempt.ts';

/**
 * Looks for a creation of an earlier request with the Graph token of the one who asks again: the window as far as it is known
 * once the creation was seen, else `undefined`.
 */
export type SettleCreation = (
  creation: Creation,
  context: WriteContext,
) => Promise<CreationWindow | undefined>;

type SettleCreationOptions = Readonly<{
  exchange: CachedExchange;
  readBack: ReadBack;
  writes: ProfileWrites;
  upstreamTimeoutMs: number;
  now?: () => number;
}>;

export const createSettleCreation =
  ({
    exchange,
    readBack,
    writes,
    upstreamTimeoutMs,
    now = Date.now,
  }: SettleCreationOptions): SettleCreation =>
  async ({ window, ...creation }, { caller, clientRequestId, deadline }) => {
    const { signal } = deadline;
    const token = await exchange.exchange(caller, { signal });
    const key = toProfileKey(caller, creation.profile);
    const asked = endedBy(window, writes.nextStart(key, window.sentAt));
    const context = { token: token.value, clientRequestId, timeoutMs: upstreamTimeoutMs, signal };
    const sighting = await readBack({ ...creation, window: asked }, context, deadline);
    if (sighting.kind !== 'seen') return undefined;
    const seenAt = now();
    writes.close(key, window.sentAt, seenAt);
    return { ...asked, until: Math.min(asked.until, seenAt), shownAt: sighting.shownAt };
  };
