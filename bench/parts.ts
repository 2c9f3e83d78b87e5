// What single parts cost, without a server around them: node --import tsx bench/parts.ts
// Microseconds of CPU unless said otherwise. Figures for people to look at; nothing depends on them.
import { hash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../src/audit/journal.ts';
import { createAuthenticate } from '../src/caller/authenticate.ts';
import { toCaller } from '../src/caller/caller.ts';
import { createKeySource } from '../src/caller/key-source.ts';
import { withTokenCache } from '../src/exchange/token-cache.ts';
import { toLimitKeys } from '../src/limits/limit-keys.ts';
import { createMemoryLimiter } from '../src/limits/memory-limiter.ts';
import { Secret } from '../src/secret.ts';
import { HOSTILE_TOKENS, PUBLISHED_KEYS } from '../test/caller/support/hostile-tokens.ts';
import {
  AUDIENCES,
  AUTHORITY,
  CLIENT,
  createFakeEntra,
  silentLog,
  TENANT,
  toAnswer,
  V2_ISSUER,
} from '../test/caller/support/tenant.ts';

const say = (name: string, value: number, unit: string) =>
  process.stdout.write(`${name.padEnd(58)} ${value.toFixed(2).padStart(10)} ${unit}\n`);

async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

async function measureHostileTokens(): Promise<void> {
  const entra = createFakeEntra([]);
  entra.metadata = () => toAnswer({ issuer: V2_ISSUER, jwks_uri: `${AUTHORITY}/keys` });
  entra.jwks = () => toAnswer({ keys: PUBLISHED_KEYS });
  const keySource = createKeySource({
    authorityHost: AUTHORITY,
    tenantId: TENANT,
    outbound: entra.outbound,
    log: silentLog,
  });
  const authenticate = createAuthenticate({
    clientId: CLIENT,
    audiences: AUDIENCES,
    authorityHost: AUTHORITY,
    keySources: [keySource],
    log: silentLog,
  });
  let slowest = 0;
  for (const [token] of Object.values(HOSTILE_TOKENS)) {
    const judge = () => authenticate(['Authorization', `Bearer ${token}`]).catch(() => undefined);
    // The best of a few: one alone tells of the machine, and of the collector.
    let best = Infinity;
    for (let time = 0; time < 6; time += 1) best = Math.min(best, await cpuOf(judge));
    slowest = Math.max(slowest, best);
  }
  say('a hostile token, the slowest of the table', slowest / 1000, 'ms (5 allowed)');
}

async function measureLookups(): Promise<void> {
  const LOOKUPS = 20_000;
  let least = 0;
  for (const users of [100, 10_000, 100_000]) {
    const expiresAt = Date.now() + 3_600_000;
    const { exchange } = withTokenCache(async () => ({ value: new Secret('g'.repeat(1500)), expiresAt }), {
      scope: 'graph',
      maxEntries: users,
    });
    const callers = Array.from({ length: users }, (_, index) => {
      const identity = {
        tenantId: TENANT,
        objectId: `user ${index}`,
        clientId: CLIENT,
        scopes: [],
        expiresAt,
      };
      const assertion = `${index}`.padEnd(1500, 'a');
      return toCaller(identity, assertion, hash('sha256', assertion, 'base64'));
    });
    for (const caller of callers) await exchange(caller);
    const cpu = await cpuOf(async () => {
      for (let index = 0; index < LOOKUPS; index += 1) {
        const caller = callers[(index * 7919) % users];
        if (caller) await exchange(caller);
      }
    });
    least ||= cpu;
    say(
      `a look-up of the exchange cache, ${users} users`,
      cpu / LOOKUPS,
      `µs (${(cpu / least).toFixed(2)} of 100 users)`,
    );
  }
}

async function measureLimits(): Promise<void> {
  const DECISIONS = 100_000;
  const limit = { count: 1_000_000, seconds: 60, shadow: false };
  const limits = { address: limit, user: limit, client: limit, tenant: limit, profile: limit, graph: limit };
  const limiter = createMemoryLimiter({ limits });
  const caller = { tenantId: TENANT, objectId: randomUUID(), clientId: CLIENT };
  const resource = { set: 'androidForWorkEnrollmentProfiles', id: randomUUID() };
  const keys = [
    { tier: 'address', key: '192.0.2.1' } as const,
    ...toLimitKeys({ caller, resource, write: true }),
  ];
  const decide = async () => {
    for (let index = 0; index < DECISIONS; index += 1) await limiter.decide(keys);
  };
  await decide();
  say('a decision over six tiers, in memory', (await cpuOf(decide)) / DECISIONS, 'µs (3 allowed)');
}

async function measureJournal(): Promise<void> {
  const RECORDS = 20_000;
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  const journal = await openJournal({
    directory,
    version: 'bench',
    node: process.version,
    configHash: '',
    appendTimeoutMs: 5000,
    log: silentLog,
  });
  const append = () => journal.append({ kind: 'settled', intent: randomUUID(), result: 'success' });
  const alone: number[] = [];
  for (let index = 0; index < 200; index += 1) {
    const start = performance.now();
    await append();
    alone.push(performance.now() - start);
  }
  say('a durable record alone, p50', alone.toSorted((a, b) => a - b)[100] ?? 0, 'ms');
  const start = performance.now();
  const lane = async () => {
    for (let index = 0; index < RECORDS / 64; index += 1) await append();
  };
  await Promise.all(Array.from({ length: 64 }, lane));
  const perSecond = RECORDS / ((performance.now() - start) / 1000);
  say('durable records a second, 64 in flight', perSecond, '(at least 5 000)');
  await journal.close();
  await rm(directory, { recursive: true });
}

await measureHostileTokens();
await measureLookups();
await measureLimits();
await measureJournal();
