import { z } from 'zod';
import type { BlockedUntil, BlockedUntilOptions, Entry, LocalBlockedUntil } from './blocked-until.ts';
import { readSeconds } from './blocked-until.ts';
import { BLOCK, ENTER, GIVE_UP_PROBE, OPEN, OPEN_LATE } from './blocked-until-script.ts';
import { toBudgetKey } from './graph-budget-script.ts';
import { createOwner } from './redis-claims.ts';
import { REDIS_PREFIX, type RedisScript, type RunScript } from './redis-connection.ts';

/** What was throttled: a probe or another request, by which the budget is halved if it is news; or a block is told again. */
type BlockKind = 'probe' | 'other' | 'known';

export type RedisBlockedUntilOptions = Readonly<{
  run: RunScript;
  /** In this process: told of everything, asked while Redis fails, and believed when Redis has forgotten. */
  local: LocalBlockedUntil;
  random?: BlockedUntilOptions['random'];
  probeMs?: BlockedUntilOptions['probeMs'];
  /** Instead of Redis' clock, for tests: milliseconds since the epoch. */
  now?: () => number;
}>;

/** Long after a block has ended without anyone asking, its count of failures is of no interest. */
const FORGET_MS = 600_000;

/**
 * blocked-until.ts in Redis, by Redis' clock: one pause and one probe for all replicas. Falls back on `local`, and never rejects.
 * A block that this process knows of stands though Redis was flushed, or away when it began; Redis is then told again. So it is of
 * the end of a probe that it could not be told, or of one that it may have granted without its answer getting here: all others wait
 * for that end.
 */
export function createRedisBlockedUntil({
  run,
  local,
  random = Math.random,
  probeMs = 30_000,
  now,
}: RedisBlockedUntilOptions): BlockedUntil {
  const readLocalClock = now ?? Date.now;

  /** What this process calls itself when it enters for a tenant, until Redis knows the end of the probe it may have been granted. */
  const owners = new Map<string, string>();
  /** Tenants whose probe this process is. */
  const probing = new Set<string>();
  /** How to tell the ends of probes late, by tenant, as long as Redis may not know them. */
  const untold = new Map<string, RedisScript>();

  const tell = async (
    script: RedisScript,
    tenantId: string,
    args: readonly (string | number)[],
    onLate?: (reply: unknown) => void,
  ): Promise<unknown> => {
    try {
      const keys = [`${REDIS_PREFIX}graph-blocked:${tenantId}`, toBudgetKey(tenantId)];
      return await run(script, keys, [now?.() ?? '', ...args], onLate);
    } catch {
      return undefined; // the limiter notices and logs that Redis is gone
    }
  };

  const forget = (tenantId: string): void => {
    untold.delete(tenantId);
    owners.delete(tenantId);
  };

  /** False if Redis still does not know how the last probe ended. `atOnce`: how to tell it, if that is no later than now. */
  const tellUntold = async (tenantId: string, atOnce?: RedisScript): Promise<boolean> => {
    const [late, owner] = [untold.get(tenantId), owners.get(tenantId)];
    if (late === undefined || owner === undefined) return true;
    if ((await tell(atOnce ?? late, tenantId, [owner])) === undefined) return false;
    // Not what has come in its place meanwhile.
    if (untold.get(tenantId) === late && owners.get(tenantId) === owner) forget(tenantId);
    return true;
  };

  const endProbe = async (tenantId: string, atOnce: RedisScript, late: RedisScript): Promise<void> => {
    probing.delete(tenantId);
    untold.set(tenantId, late);
    await tellUntold(tenantId, atOnce);
  };

  const enterHere = async (tenantId: string): Promise<Entry> => {
    const entry = await local.enter(tenantId);
    if (entry.kind === 'probe') probing.add(tenantId);
    return entry;
  };

  /** Redis may have made it the probe all the same. */
  const enterUnanswered = async (tenantId: string, owner: string): Promise<Entry> => {
    const entry = await enterHere(tenantId);
    if (!probing.has(tenantId) && owners.get(tenantId) === owner) untold.set(tenantId, GIVE_UP_PROBE);
    return entry;
  };

  const toOwner = (tenantId: string): string => {
    const known = owners.get(tenantId);
    if (known !== undefined) return known;
    const owner = createOwner();
    owners.set(tenantId, owner);
    untold.delete(tenantId);
    return owner;
  };

  const tellBlock = async (tenantId: string, kind: BlockKind, namedMs: number | undefined) => {
    const args = [kind, namedMs === undefined ? '' : Math.ceil(namedMs), random(), FORGET_MS];
    return readTold(await tell(BLOCK, tenantId, args));
  };

  /** Redis counts from a little later than `askedAt`: what is known here never outlasts its block. */
  const learn = (tenantId: string, askedAt: number, leftMs: number, failures?: number): void =>
    local.learn(tenantId, askedAt + leftMs, failures);

  return {
    enter: async (tenantId) => {
      const knownMs = local.leftMs(tenantId);
      if (knownMs > 0) {
        const told = await tellBlock(tenantId, 'known', knownMs);
        return toBlocked(Math.max(knownMs, told?.leftMs ?? 0));
      }
      if (!(await tellUntold(tenantId))) return enterHere(tenantId);
      const owner = toOwner(tenantId);
      const askedAt = readLocalClock();
      const reply = await tell(ENTER, tenantId, [probeMs, FORGET_MS, owner], (late) => {
        const isProbe = probing.has(tenantId) && owners.get(tenantId) === owner;
        if (late === PROBE_REPLY && !isProbe) void tell(GIVE_UP_PROBE, tenantId, [owner]);
      });
      if (typeof reply !== 'number') return enterUnanswered(tenantId, owner);
      if (reply === PROBE_REPLY) {
        probing.add(tenantId);
        untold.delete(tenantId);
        // The end of an earlier probe, told meanwhile, may have forgotten it.
        owners.set(tenantId, owner);
      }
      if (reply > 0) learn(tenantId, askedAt, reply);
      if (reply === OPEN_REPLY) {
        // One that began here while Redis was asked.
        const leftMs = local.leftMs(tenantId);
        if (leftMs > 0) return toBlocked(leftMs);
        await local.open(tenantId);
      }
      return toEntry(reply);
    },
    block: async (tenantId, throttled) => {
      const isNewHere = await local.block(tenantId, throttled);
      const seconds = readSeconds(throttled);
      const askedAt = readLocalClock();
      const told = await tellBlock(tenantId, throttled.probe ? 'probe' : 'other', seconds && seconds * 1000);
      if (throttled.probe) {
        probing.delete(tenantId);
        if (told === undefined) untold.set(tenantId, GIVE_UP_PROBE);
        else forget(tenantId);
      } else if (untold.get(tenantId) === OPEN_LATE) {
        // Graph has changed its mind since that probe.
        untold.set(tenantId, GIVE_UP_PROBE);
      }
      if (told === undefined) return isNewHere;
      learn(tenantId, askedAt, told.leftMs, told.failures);
      return told.isNew;
    },
    open: async (tenantId) => {
      await local.open(tenantId);
      await endProbe(tenantId, OPEN, OPEN_LATE);
    },
    giveUpProbe: async (tenantId) => {
      await local.giveUpProbe(tenantId);
      await endProbe(tenantId, GIVE_UP_PROBE, GIVE_UP_PROBE);
    },
  };
}

function toBlocked(leftMs: number): Entry {
  return { kind: 'blocked', retryAfterSeconds: Math.ceil(leftMs / 1000) };
}

/** Else the milliseconds still blocked. */
const OPEN_REPLY = 0;
const PROBE_REPLY = -1;
const PROBE_UNDER_WAY_REPLY = -2;

function toEntry(reply: number): Entry {
  switch (reply) {
    case OPEN_REPLY:
      return { kind: 'open' };
    case PROBE_REPLY:
      return { kind: 'probe' };
    case PROBE_UNDER_WAY_REPLY:
      return { kind: 'blocked', retryAfterSeconds: 1 };
    default:
      return toBlocked(reply);
  }
}

const TOLD = z.tuple([z.number(), z.number(), z.number()]);

function readTold(
  reply: unknown,
): Readonly<{ isNew: boolean; leftMs: number; failures: number }> | undefined {
  const { data } = TOLD.safeParse(reply);
  if (data === undefined) return undefined;
  const [isNew, leftMs, failures] = data;
  return { isNew: isNew === 1, leftMs, failures };
}
