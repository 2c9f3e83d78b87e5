import { measureRound, toFigures, type Round } from '../measure.ts';
import { toEndless } from '../requests.ts';
import type { Scenario } from '../scenario.ts';
import { LOAD } from './warm.ts';

const USERS = 1000;
const SAMPLE_MS = 5000;
/** Samples of the warm-up: compiled code, the young generation and the connections take their room. */
const WARM_UP_SAMPLES = 24;
const MEGABYTE = 1024 * 1024;

type Line = Readonly<{ slope: number; deviation: number }>;

/** Least squares: by how much the values grow from one to the next, and the standard deviation of that. */
export function toLine(values: readonly number[]): Line {
  const count = values.length;
  const middle = (count - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const spread = values.reduce((sum, _, index) => sum + (index - middle) ** 2, 0);
  const slope = values.reduce((sum, value, index) => sum + (index - middle) * (value - mean), 0) / spread;
  const residual = values.reduce(
    (sum, value, index) => sum + (value - mean - slope * (index - middle)) ** 2,
    0,
  );
  return { slope, deviation: Math.sqrt(residual / Math.max(1, count - 2) / spread) };
}

/** The warm load without a pause: memory must not grow with the number of requests. */
export const soak: Scenario = {
  letter: 'i',
  title: 'soak: growth of memory',
  run: async ({ options, tokens, startService }) => {
    const server = await startService();
    const endless = toEndless(await tokens(USERS));
    const sample = (): Promise<Round> =>
      measureRound(server, () => endless, { ...LOAD, milliseconds: SAMPLE_MS });
    for (let count = 0; count < WARM_UP_SAMPLES; count += 1) await sample();
    const rounds: Round[] = [];
    const samples = Math.max(3, Math.round((options.soakMinutes * 60_000) / SAMPLE_MS));
    while (rounds.length < samples) rounds.push(await sample());
    const { slope, deviation } = toLine(rounds.map(({ memory }) => memory));
    const toTotal = (perSample: number): string => ((perSample * samples) / MEGABYTE).toFixed(1);
    const note = `${toTotal(slope)} ± ${toTotal(deviation)} MB in ${options.soakMinutes} min, ${rounds.reduce((sum, { answers }) => sum + answers, 0)} requests`;
    return [{ scenario: 'i', label: 'service', figures: toFigures(rounds, LOAD.expected), note }];
  },
};
