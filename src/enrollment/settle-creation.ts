import type { CachedExchange } from '../exchange/token-cache.ts';
import type { Creation, ReadBack } from './read-back.ts';
import type { WriteContext } from './send-write.ts';

/** Whether a creation of an earlier request is there now, read with the Graph token of the one who asks again. */
export type SettleCreation = (creation: Creation, context: WriteContext) => Promise<boolean>;

type SettleCreationOptions = Readonly<{
  exchange: CachedExchange;
  readBack: ReadBack;
  upstreamTimeoutMs: number;
}>;

export const createSettleCreation =
  ({ exchange, readBack, upstreamTimeoutMs }: SettleCreationOptions): SettleCreation =>
  async (creation, { caller, clientRequestId, deadline }) => {
    const { signal } = deadline;
    const token = await exchange.exchange(caller, { signal });
    const context = { token: token.value, clientRequestId, timeoutMs: upstreamTimeoutMs, signal };
    return (await readBack(creation, context, deadline)) === 'seen';
  };
