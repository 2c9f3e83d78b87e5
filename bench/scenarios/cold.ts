import { measureInterleaved } from '../measure.ts';
import { toOnce } from '../requests.ts';
import type { Scenario } from '../scenario.ts';
import { LOAD } from './warm.ts';

const TOKENS_A_ROUND = 2000;
const WARM_UP_TOKENS = 8000;

/** A fresh token each time: one signature to check and one exchange a request. */
export const coldExchange: Scenario = {
  letter: 'c',
  title: 'cold, a fresh token each time',
  run: async ({ options, freshTokens, start }) => {
    const shape = { ...LOAD, milliseconds: options.roundMs };
    const fresh = await freshTokens(WARM_UP_TOKENS + options.rounds * TOKENS_A_ROUND);
    const servers = await start('service', 'fastify', 'msal-proxy', 'textbook');
    const figures = await measureInterleaved(
      servers.map((server) => {
        let next = WARM_UP_TOKENS;
        return {
          label: server.name,
          server,
          warmUp: () => toOnce(fresh.slice(0, WARM_UP_TOKENS)),
          source: () => {
            next += TOKENS_A_ROUND;
            return toOnce(fresh.slice(next - TOKENS_A_ROUND, next));
          },
          shape,
        };
      }),
      { rounds: options.rounds, warmUpMs: 30_000 },
    );
    return [...figures].map(([label, each]) => ({ scenario: 'c', label, figures: each }));
  },
};
