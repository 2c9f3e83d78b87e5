import { measureInterleaved } from '../measure.ts';
import { toEndless, withBadSignature } from '../requests.ts';
import type { Scenario } from '../scenario.ts';
import { LOAD } from './warm.ts';

const USERS = 1000;

/** A flood of tokens that were refused before, beside warm requests to the same process. */
export const refusals: Scenario = {
  letter: 'h',
  title: 'a flood of 401: tokens known to be bad',
  run: async ({ options, tokens, startService, start }) => {
    const known = await tokens(USERS);
    const bad = known.map(withBadSignature);
    const milliseconds = options.roundMs;
    const service = await startService();
    const [haproxy] = await start('haproxy');
    const flood = { source: () => toEndless(bad), shape: { ...LOAD, expected: '401', milliseconds } };
    const figures = await measureInterleaved(
      [
        {
          label: 'service, warm',
          server: service,
          source: () => toEndless(known),
          shape: { ...LOAD, milliseconds },
        },
        { label: 'service, 401', server: service, ...flood },
        ...(haproxy ? [{ label: 'haproxy, 401', server: haproxy, ...flood }] : []),
      ],
      { rounds: options.rounds, warmUpMs: 5000 },
    );
    return [...figures].map(([label, each]) => ({ scenario: 'h', label, figures: each }));
  },
};
