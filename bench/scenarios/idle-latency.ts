import { readFileSync } from 'node:fs';
import { measureInterleaved } from '../measure.ts';
import { toEndless } from '../requests.ts';
import type { Row, Scenario } from '../scenario.ts';
import { LOAD } from './warm.ts';

const ONE = { connections: 1, expected: '204' } as const;
const LOAD_SHAPE = { ...LOAD, milliseconds: 0 };
const USERS = 10;

/** One caller, nothing else going on: what a request takes longer than one that goes to Graph directly. */
export const idleLatency: Scenario = {
  letter: 'e',
  title: 'one connection: latency beside calling the upstream directly',
  run: async ({ options, upstream, tokens, start }) => {
    const shape = { ...ONE, milliseconds: options.roundMs };
    const known = await tokens(USERS);
    const source = () => toEndless(known);
    const direct = {
      label: 'upstream alone',
      server: {
        name: 'nginx' as const,
        pid: process.pid,
        port: Number(new URL(upstream.graphUrl).port),
        stop: async () => {},
      },
      source,
      shape: { ...shape, ca: readFileSync(upstream.caFile, 'utf8') },
    };
    const servers = await start('service', 'service, journal in memory', 'haproxy', 'fastify');
    const candidates = servers.map((server) => ({ label: server.name, server, source, shape }));
    // One connection would take minutes until the code is compiled.
    await measureInterleaved(
      candidates.map((candidate) => ({ ...candidate, shape: LOAD_SHAPE })),
      { rounds: 0, warmUpMs: 8000 },
    );
    const figures = await measureInterleaved([direct, ...candidates], {
      rounds: options.rounds,
      warmUpMs: 3000,
    });
    const base = figures.get(direct.label)?.p50 ?? Number.NaN;
    return [...figures].map(([label, each]): Row => ({
      scenario: 'e',
      label,
      figures: each,
      note: label === direct.label ? '' : `adds ${(each.p50 - base).toFixed(2)} ms (p50)`,
    }));
  },
};
