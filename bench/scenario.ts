import type { Figures } from './measure.ts';
import type { Options } from './options.ts';
import type { RunningServer, ServerName } from './server.ts';
import type { Upstream } from './upstream.ts';

/** One line of the table. */
export type Row = Readonly<{ scenario: string; label: string; figures: Figures; note?: string }>;

export type Stage = Readonly<{
  options: Options;
  upstream: Upstream;
  /** So many tokens of different people, the same ones for every scenario that does not need fresh ones. */
  tokens: (count: number) => Promise<readonly string[]>;
  /** Tokens that no server has seen. */
  freshTokens: (count: number) => Promise<readonly string[]>;
  /** Starts those servers that can be started here; they end with the scenario. */
  start: (...names: readonly ServerName[]) => Promise<readonly RunningServer[]>;
  /** The same, of one that cannot be missing. */
  startService: (name?: ServerName) => Promise<RunningServer>;
}>;

export type Scenario = Readonly<{
  letter: string;
  title: string;
  run: (stage: Stage) => Promise<readonly Row[]>;
}>;
