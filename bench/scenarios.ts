import type { Scenario } from './scenario.ts';
import { coldExchange } from './scenarios/cold.ts';
import { growth } from './scenarios/growth.ts';
import { idleLatency } from './scenarios/idle-latency.ts';
import { refusals } from './scenarios/refusals.ts';
import { soak } from './scenarios/soak.ts';
import { warm } from './scenarios/warm.ts';

/** Connections of the load, except where one alone is the point. */
export const SCENARIOS: readonly Scenario[] = [
  warm('a', 'warm, one user', 1, ['service', 'haproxy', 'nginx', 'fastify', 'msal-proxy', 'textbook']),
  warm('b', 'warm, 1 000 users', 1000, ['service', 'haproxy', 'nginx', 'fastify', 'msal-proxy', 'textbook']),
  coldExchange,
  growth,
  idleLatency,
  warm('f', 'limits in Redis, 1 000 users', 1000, ['service', 'service, limits in Redis']),
  warm('g', "the journal's syncs, 1 000 users", 1000, ['service', 'service, journal in memory']),
  refusals,
  soak,
];
