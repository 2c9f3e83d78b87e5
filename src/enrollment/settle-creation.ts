import type { CachedExchange } from '../exchange/token-cache.ts';
import { toProfileKey, type ProfileWrites } from './profile-writes.ts';
import type { Creation, ReadBack } from './read-back.ts';
import type { WriteContext } from './write-attempt.ts';

/** Whether a creation of an earlier request is there now, read with the Graph token of the one who asks again. */
export type SettleCreation = (creation: Creation, context: WriteContext) => Promise<boolean>;

type SettleCreationOptions = Readonly<{
  exchange: CachedExchange;
  readBack: ReadBack;
  writes: ProfileWrites;
  upstreamTimeoutMs: number;
}>;

export const createSettleCreation =
  ({ exchange, readBack, writes, upstreamTimeoutMs }: SettleCreationOptions): SettleCreation =>
  async ({ window, ...creation }, { caller, clientRequestId, deadline }) => {
    const { signal } = deadline;
    const token = await exchange.exchange(caller, { signal });
    const nextHere = writes.nextStart(toProfileKey(caller, creation.profile), window.sentAt);
    const nextAt = Math.min(window.nextAt ?? Infinity, nextHere ?? Infinity);
    const asked = { ...creation, window: { ...window, nextAt } };
    const context = { token: token.value, clientRequestId, timeoutMs: upstreamTimeoutMs, signal };
    return (await readBack(asked, context, deadline)) === 'seen';
  };
