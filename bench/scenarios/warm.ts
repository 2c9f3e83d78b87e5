import { measureInterleaved, type Candidate } from '../measure.ts';
import { toEndless, toOnce } from '../requests.ts';
import type { Scenario } from '../scenario.ts';
import type { ServerName } from '../server.ts';

export const LOAD = { connections: 64, expected: '204' } as const;
const WARM_UP_MS = 6000;

/** Known tokens, Graph tokens at hand: what most requests of a day are. */
export const warm = (
  letter: string,
  title: string,
  users: number,
  names: readonly ServerName[],
): Scenario => ({
  letter,
  title,
  run: async ({ options, tokens, start }) => {
    const known = await tokens(users);
    const shape = { ...LOAD, milliseconds: options.roundMs };
    const candidates = (await start(...names)).map((server): Candidate => ({
      label: server.name,
      server,
      source: () => toEndless(known),
      shape,
    }));
    // Everybody once, however slow a server is; then it is warm.
    await measureInterleaved(
      candidates.map((candidate) => ({ ...candidate, source: () => toOnce(known) })),
      { rounds: 0, warmUpMs: 60_000 },
    );
    const figures = await measureInterleaved(candidates, { rounds: options.rounds, warmUpMs: WARM_UP_MS });
    return [...figures].map(([label, each]) => ({ scenario: letter, label, figures: each }));
  },
});
