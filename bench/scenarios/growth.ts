import { measureInterleaved, type Figures } from '../measure.ts';
import { toEndless, toOnce } from '../requests.ts';
import type { Row, Scenario } from '../scenario.ts';
import { LOAD } from './warm.ts';

const FEW = 100;
const SOME = 10_000;
const WARM_UP_MS = 10_000;
/** Every user is seen once before the measurement, however long that takes. */
const MEET_ALL_MS = 300_000;

const toNote = (users: number, { memory }: Figures, before: Figures | undefined): string =>
  before ? `${((memory - before.memory) / users / 1024).toFixed(1)} KB resident a user` : '';

/** One service that meets more and more people: neither its work nor its memory for each may grow. */
export const growth: Scenario = {
  letter: 'd',
  title: 'growth with the number of users',
  run: async ({ options, tokens, startService }) => {
    const server = await startService();
    const rows: Row[] = [];
    for (const users of [FEW, Math.min(SOME, options.users), options.users]) {
      const known = await tokens(users);
      const shape = { ...LOAD, milliseconds: options.roundMs };
      const candidate = { label: 'service', server, shape };
      await measureInterleaved([{ ...candidate, source: () => toOnce(known) }], {
        rounds: 0,
        warmUpMs: MEET_ALL_MS,
      });
      // One source for all rounds, so that every user comes again before one comes a third time.
      const endless = toEndless(known);
      const figures = await measureInterleaved([{ ...candidate, source: () => endless }], {
        rounds: options.rounds,
        warmUpMs: WARM_UP_MS,
      });
      const measured = figures.get('service');
      if (measured) {
        const note = toNote(users, measured, rows[0]?.figures);
        rows.push({ scenario: 'd', label: `service, ${users} users`, figures: measured, note });
      }
    }
    return rows;
  },
};
