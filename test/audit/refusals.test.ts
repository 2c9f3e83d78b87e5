import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRefusalLog } from '../../src/audit/refusals.ts';
import type { RefusalLogOptions } from '../../src/audit/refusals.ts';
import type { Refusal } from '../../src/audit/refusal-tallies.ts';
import type { AppendAudit, AuditEvent, RefusalEvent } from '../../src/audit/record.ts';

const MINUTE = 60_000;

function createRig(bounds: Pick<RefusalLogOptions, 'maxActors' | 'maxNetworks'> = {}) {
  const events: RefusalEvent[] = [];
  let time = Date.parse('2026-03-01T12:00:10Z');
  let timers: { at: number; run: () => void }[] = [];
  let failing = false;
  const append: AppendAudit = async <Event extends AuditEvent>(event: Event) => {
    if (failing) throw new Error('the disk is full');
    assert.ok(event.kind === 'refusal');
    events.push(event);
    const seal = { v: 1, chain: '', seq: 1, time: '', id: '', previous: '', hash: '' } as const;
    return { ...event, ...seal };
  };
  const log = createRefusalLog({
    append,
    now: () => time,
    schedule: (run, milliseconds) => timers.push({ at: time + milliseconds, run }),
    ...bounds,
  });
  return {
    events,
    log,
    timers: () => timers.length,
    fail: (value: boolean) => (failing = value),
    pass: async (milliseconds: number) => {
      time += milliseconds;
      const due = timers.filter(({ at }) => at <= time);
      timers = timers.filter(({ at }) => at > time);
      for (const { run } of due) run();
      await new Promise(setImmediate);
    },
  };
}

const toRefusal = (address: string, code = 'missing_token', objectId?: string): Refusal => ({
  kind: 'refusal',
  source: { address },
  status: 401,
  code,
  ...(objectId !== undefined && { actor: { tenantId: 't', objectId, clientId: 'c', scopes: [] } }),
});

test('the first is written at once, further ones as one count when the minute ends', async () => {
  const { log, events, pass } = createRig();
  for (let count = 0; count < 1000; count += 1) await log.record(toRefusal('192.0.2.1'));
  assert.deepEqual(events, [toRefusal('192.0.2.1')]);
  await pass(MINUTE);
  assert.deepEqual(events, [toRefusal('192.0.2.1'), { ...toRefusal('192.0.2.1'), count: 999 }]);
  await log.record(toRefusal('192.0.2.1'));
  assert.equal(events.length, 3, 'a new minute begins with a first one');
  await pass(MINUTE);
  assert.equal(events.length, 3, 'a single one has no count');
});

test('actors are told apart by who they are, not by where they call from; codes are told apart', async () => {
  const { log, events, pass } = createRig();
  await log.record(toRefusal('192.0.2.1', 'insufficient_scope', 'alice'));
  await log.record(toRefusal('192.0.2.2', 'insufficient_scope', 'alice'));
  await log.record(toRefusal('192.0.2.1', 'insufficient_scope', 'bob'));
  await log.record(toRefusal('192.0.2.1', 'rate_limited', 'alice'));
  assert.equal(events.length, 3);
  await pass(MINUTE);
  assert.deepEqual(
    events.slice(3).map(({ actor, count }) => `${actor?.objectId} ${count}`),
    ['alice 1'],
  );
});

test('a flood from a whole IPv6 /64 costs what one address costs', async () => {
  const { log, events, pass } = createRig();
  for (let host = 0; host < 5000; host += 1)
    await log.record(toRefusal(`2001:db8:1:2::${host.toString(16)}`));
  await log.record(toRefusal('2001:db8:1:3::1'));
  await pass(MINUTE);
  assert.deepEqual(
    events.map(({ count }) => count),
    [undefined, undefined, 4999],
  );
});

test('a flood from very many addresses is bounded in memory and on disk: the rest shares one count', async () => {
  const { log, events, pass, timers } = createRig({ maxNetworks: 100 });
  for (let host = 0; host < 50_000; host += 1) {
    await log.record(toRefusal(`10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`));
  }
  assert.equal(events.length, 100);
  assert.equal(timers(), 1);
  await pass(MINUTE);
  assert.equal(events.length, 101);
  assert.deepEqual(events.at(-1), { ...toRefusal('*'), count: 49_900 });
});

test('a journal that cannot be written does not keep the answer back, and what was missed is counted', async () => {
  const { log, events, pass, fail } = createRig();
  fail(true);
  await log.record(toRefusal('192.0.2.1'));
  fail(false);
  await log.record(toRefusal('192.0.2.1'));
  await pass(MINUTE);
  assert.deepEqual(events, [{ ...toRefusal('192.0.2.1'), count: 2 }]);
});

test('a flood from very many addresses does not hide who an authenticated caller is', async () => {
  const { log, events, pass } = createRig();
  for (let host = 0; host < 3000; host += 1) {
    await log.record(toRefusal(`2001:db8:${host.toString(16)}::1`));
  }
  const alice = toRefusal('192.0.2.1', 'insufficient_scope', 'alice');
  await log.record(alice);
  assert.deepEqual(events.at(-1), alice, 'the first at once, by name');
  await log.record(alice);
  await pass(MINUTE);
  assert.deepEqual(
    events.filter(({ actor }) => actor !== undefined),
    [alice, { ...alice, count: 1 }],
  );
});

test('more actors than are counted at once: each refusal is recorded under its own actor', async () => {
  const { log, events, pass } = createRig({ maxActors: 10, maxNetworks: 1 });
  for (let round = 0; round < 3; round += 1) {
    for (let user = 0; user < 25; user += 1) {
      const refusal = toRefusal('192.0.2.1', 'rate_limited', `user-${user}`);
      await log.record(refusal);
      await log.record(refusal);
    }
  }
  await pass(MINUTE);
  const counts = new Map<string, number>();
  for (const { actor, count = 1 } of events) {
    counts.set(actor?.objectId ?? '', (counts.get(actor?.objectId ?? '') ?? 0) + count);
  }
  assert.equal(counts.size, 25);
  assert.ok([...counts.values()].every((count) => count === 6));
});

test('a count that the disk did not take at the end of its minute is written at the end of a later one', async () => {
  const { log, events, pass, fail, timers } = createRig();
  for (let count = 0; count < 50; count += 1) await log.record(toRefusal('192.0.2.1'));
  fail(true);
  await pass(MINUTE);
  await pass(MINUTE);
  assert.equal(events.length, 1);
  fail(false);
  await log.record(toRefusal('192.0.2.1'));
  await log.record(toRefusal('192.0.2.1'));
  await pass(MINUTE);
  assert.deepEqual(
    events.map(({ count }) => count),
    [undefined, undefined, 50],
  );
  assert.equal(timers(), 0, 'nothing is owed any more');
});

test('a first one that fails only after its minute has ended is counted all the same', async () => {
  let fail = (): void => undefined;
  const counts: (number | undefined)[] = [];
  const timers: (() => void)[] = [];
  const log = createRefusalLog({
    append: async (event) => {
      assert.ok(event.kind === 'refusal');
      if (timers.length === 1)
        await new Promise<void>((_, reject) => (fail = () => reject(new Error('late'))));
      counts.push(event.count);
      return { ...event, v: 1, chain: '', seq: 1, time: '', id: '', previous: '', hash: '' };
    },
    now: () => 0,
    schedule: (run) => timers.push(run),
  });
  const recorded = log.record(toRefusal('192.0.2.1'));
  timers[0]?.();
  fail();
  await recorded;
  timers[1]?.();
  await new Promise(setImmediate);
  assert.deepEqual(counts, [1]);
});

test('a stop writes the counts so far', async () => {
  const { log, events } = createRig();
  await log.record(toRefusal('192.0.2.1'));
  await log.record(toRefusal('192.0.2.1'));
  await log.flush();
  assert.equal(events.at(-1)?.count, 1);
});

test('a minute that ended while no timer ran is counted before the next one begins', async () => {
  const { log, events, pass } = createRig();
  await log.record(toRefusal('192.0.2.1'));
  await log.record(toRefusal('192.0.2.1'));
  await pass(3 * MINUTE);
  await log.record(toRefusal('192.0.2.1'));
  assert.deepEqual(
    events.map(({ count }) => count),
    [undefined, 1, undefined],
  );
});
