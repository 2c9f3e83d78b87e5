import { parseArgs } from 'node:util';

export type Options = Readonly<{
  /** Letters of the scenarios to run. */
  scenarios: readonly string[];
  rounds: number;
  /** Milliseconds of one round. */
  roundMs: number;
  soakMinutes: number;
  /** Largest number of users in scenario (d). */
  users: number;
  /** Leaves out the servers not named; empty: none is left out. */
  servers: readonly string[];
  /** Whether the result is kept in bench/results/. */
  keep: boolean;
}>;

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenarios: { type: 'string', default: 'abcdefghi' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      'soak-minutes': { type: 'string', default: '5' },
      users: { type: 'string', default: '50000' },
      servers: { type: 'string', default: '' },
      'no-file': { type: 'boolean', default: false },
    },
  });
  return {
    scenarios: values.scenarios.split(''),
    rounds: Number(values.rounds),
    roundMs: Number(values.seconds) * 1000,
    soakMinutes: Number(values['soak-minutes']),
    users: Number(values.users),
    servers: values.servers.split(',').filter(Boolean),
    keep: !values['no-file'],
  };
}
