import { runLoad, type LoadResult } from './load.ts';
import { readCpu, readMemory } from './process-figures.ts';
import type { RunningServer } from './server.ts';

/** One round of load upon one server. */
export type Round = LoadResult &
  Readonly<{
    /** Microseconds of the server's CPU time for each answer. */
    cpu: number;
    /** Resident bytes after the round. */
    memory: number;
  }>;

/** What stands in the table: the median of the rounds. */
export type Figures = Readonly<{
  cpu: number;
  perSecond: number;
  p50: number;
  p99: number;
  memory: number;
  /** Answers of any status but the expected one. */
  unexpected: number;
  rounds: readonly Round[];
}>;

/** The next request of a round, each round anew. */
export type Source = () => () => string | undefined;

/** `ca`: over TLS. */
export type Shape = Readonly<{ connections: number; milliseconds: number; expected: string; ca?: string }>;

export async function measureRound(server: RunningServer, source: Source, shape: Shape): Promise<Round> {
  const before = readCpu(server.pid);
  const result = await runLoad({ ...shape, port: server.port, next: source() });
  return { ...result, cpu: (readCpu(server.pid) - before) / result.answers, memory: readMemory(server.pid) };
}

export function toMedian(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function toFigures(rounds: readonly Round[], expected: string): Figures {
  const median = (read: (round: Round) => number): number => toMedian(rounds.map(read));
  return {
    cpu: median(({ cpu }) => cpu),
    perSecond: median(({ answers, seconds }) => answers / seconds),
    p50: median(({ p50 }) => p50),
    p99: median(({ p99 }) => p99),
    memory: median(({ memory }) => memory),
    unexpected: rounds.reduce(
      (total, { answers, statuses }) => total + answers - (statuses[expected] ?? 0),
      0,
    ),
    rounds,
  };
}

/** What one server is given, warm-up included. */
export type Candidate = Readonly<{
  label: string;
  server: RunningServer;
  source: Source;
  warmUp?: Source;
  shape: Shape;
}>;

export type Plan = Readonly<{ rounds: number; warmUpMs: number }>;

/** Every candidate in turn, round after round, so that what disturbs the machine disturbs them all. */
export async function measureInterleaved(
  candidates: readonly Candidate[],
  { rounds, warmUpMs }: Plan,
): Promise<ReadonlyMap<string, Figures>> {
  for (const { server, source, warmUp = source, shape } of candidates) {
    await measureRound(server, warmUp, { ...shape, milliseconds: warmUpMs });
  }
  const measured = new Map<string, Round[]>(candidates.map(({ label }) => [label, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { label, server, source, shape } of candidates) {
      measured.get(label)?.push(await measureRound(server, source, shape));
    }
  }
  return new Map(
    candidates.map(({ label, shape }) => [label, toFigures(measured.get(label) ?? [], shape.expected)]),
  );
}
