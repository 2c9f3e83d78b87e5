import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { toFingerprint, toKeyHash } from '../../src/enrollment/idempotency-record.ts';
import type { IdempotencyRecord } from '../../src/enrollment/idempotency-store.ts';
import { createIdempotent } from '../../src/enrollment/idempotent.ts';
import { createMemoryIdempotencyStore } from '../../src/enrollment/memory-idempotency-store.ts';
import { createSharedIdempotencyStore } from '../../src/enrollment/shared-idempotency-store.ts';
import { ProblemError } from '../../src/errors.ts';
import { createRedisClaims, type RedisClaims } from '../../src/limits/redis-claims.ts';
import {
  createRedisConnection,
  createRedisScript,
  type RedisConnection,
} from '../../src/limits/redis-connection.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createRedisServer, NO_REDIS, type RedisServer } from '../limits/redis-server.ts';
import { EVENT, REQUEST } from './support/keyed-request.ts';

const DAY = 86_400_000;
const KEY = 'key';
const ASKED = 'asked';
const SUCCESS: IdempotencyRecord = {
  fingerprint: ASKED,
  intent: 'i',
  requestId: 'r',
  outcome: { result: 'success' },
};
const UNKNOWN: IdempotencyRecord = {
  fingerprint: ASKED,
  intent: 'i',
  requestId: 'r',
  outcome: { result: 'unknown', code: 'outcome_unknown', window: { sentAt: 1, until: 2 } },
};

const SEAL = {
  v: 1,
  chain: '',
  seq: 1,
  time: '2026-11-24T00:00:00.000Z',
  id: 'i',
  previous: '',
  hash: '',
} as const;

function isUnavailable(error: unknown): boolean {
  return (
    error instanceof ProblemError &&
    error.code === 'idempotency_unavailable' &&
    error.options.retryAfterSeconds === 5 &&
    error.options.costsNothing === true
  );
}

describe('createSharedIdempotencyStore', { skip: NO_REDIS }, () => {
  let server: RedisServer;
  let connection: RedisConnection;
  const clock = { now: 0 };

  before(async () => {
    server = await createRedisServer();
    connection = createRedisConnection({ url: server.url, deadlineMs: 10_000 });
    await connection.ready(5000);
  });
  beforeEach(async () => {
    clock.now = Date.UTC(2026, 10, 24);
    await server.admin.flushall();
  });
  after(async () => {
    connection.close();
    await server.close();
  });

  /** A replica: its own memory, the common Redis, and a switch that loses the answers or the questions. */
  function createReplica({ retryMs = 10 } = {}) {
    const link: { state: 'up' | 'down' | 'deaf' } = { state: 'up' };
    const claims: RedisClaims = createRedisClaims({
      lifetimeMs: DAY,
      underWayMs: 30_000,
      now: () => clock.now,
      run: async (...command) => {
        if (link.state === 'down') throw new Error('gone');
        const reply = await connection.run(...command);
        if (link.state === 'deaf') throw new Error('no answer in time');
        return reply;
      },
    });
    const local = createMemoryIdempotencyStore({ now: () => clock.now });
    return { link, store: createSharedIdempotencyStore({ claims, local, retryMs }) };
  }

  /** Behind everything that the replicas have told Redis until now, and what follows from its answers. */
  async function flushQueue(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) {
      await connection.run(createRedisScript('return 1'), [], []);
      await new Promise(setImmediate);
    }
  }

  it('lets one replica work on a key, and gives its outcome to the others', async () => {
    const [one, two] = [createReplica().store, createReplica().store];
    assert.deepEqual(await one.claim(KEY, ASKED), { kind: 'first' });
    assert.deepEqual(await two.claim(KEY, 'another'), { kind: 'under_way', fingerprint: ASKED });
    assert.deepEqual(await one.claim(KEY, ASKED), { kind: 'under_way', fingerprint: ASKED });
    await one.keep(KEY, SUCCESS);
    for (const store of [one, two, two]) {
      assert.deepEqual(await store.claim(KEY, ASKED), { kind: 'known', record: SUCCESS });
    }
  });

  it('security: of many claims at once over all replicas exactly one is the first', async () => {
    const stores = Array.from({ length: 4 }, () => createReplica().store);
    const claims = await Promise.all(
      stores.flatMap((store) => Array.from({ length: 25 }, () => store.claim(KEY, ASKED))),
    );
    assert.equal(claims.filter(({ kind }) => kind === 'first').length, 1);
    assert.equal(claims.filter(({ kind }) => kind === 'under_way').length, 99);
  });

  it('security: claims of other keys at the same time leave a mark where it is', async () => {
    const [one, two] = [createReplica().store, createReplica().store];
    const keys = Array.from({ length: 20 }, (_, index) => `${KEY}${index}`);
    const claims = await Promise.all(keys.map((key) => one.claim(key, ASKED)));
    assert.deepEqual(new Set(claims.map(({ kind }) => kind)), new Set(['first']));
    await flushQueue();
    for (const key of keys) {
      assert.deepEqual(await two.claim(key, ASKED), { kind: 'under_way', fingerprint: ASKED });
    }
  });

  it('frees a key for all replicas', async () => {
    const [one, two] = [createReplica().store, createReplica().store];
    await one.claim(KEY, ASKED);
    await one.release(KEY);
    assert.deepEqual(await two.claim(KEY, ASKED), { kind: 'first' });
  });

  it('lets one replica alone settle an open record', async () => {
    const [one, two] = [createReplica().store, createReplica().store];
    await one.claim(KEY, ASKED);
    await one.keep(KEY, UNKNOWN);
    assert.deepEqual(await two.claim(KEY, 'another'), { kind: 'known', record: UNKNOWN });
    assert.deepEqual(await two.claim(KEY, ASKED), { kind: 'known', record: UNKNOWN });
    assert.deepEqual(await one.claim(KEY, ASKED), { kind: 'under_way', fingerprint: ASKED });
    await two.keep(KEY, SUCCESS);
    assert.deepEqual(await one.claim(KEY, ASKED), { kind: 'known', record: SUCCESS });
  });

  it('security: a replica that died does not free its key; what it did is unknown', async () => {
    const [one, two] = [createReplica().store, createReplica().store];
    await one.claim(KEY, ASKED);
    clock.now += 30_000;
    assert.deepEqual(await two.claim(KEY, ASKED), { kind: 'abandoned', fingerprint: ASKED });
  });

  it('security: what a slow replica kept after all is not lost to who was just told that it is unknown', async () => {
    const [one, two] = [createReplica().store, createReplica().store];
    const fingerprint = toFingerprint(EVENT);
    const success: IdempotencyRecord = { ...SUCCESS, fingerprint };
    await one.claim(KEY, fingerprint);
    clock.now += 30_000;
    const idempotent = createIdempotent({
      store: {
        claim: async () => {
          const claim = await two.claim(KEY, fingerprint);
          await one.keep(KEY, success);
          return claim;
        },
        keep: (_key, record) => two.keep(KEY, record),
        release: () => two.release(KEY),
      },
      append: () => assert.fail('nothing is done'),
      findPast: () => undefined,
      requestDeadlineMs: 1000,
    });
    await assert.rejects(
      idempotent(REQUEST, EVENT, () => assert.fail('nothing is done')),
      { code: 'outcome_unknown' },
    );
    assert.deepEqual(await two.claim(KEY, fingerprint), { kind: 'known', record: success });
  });

  it('a replica that died and came back settles by its own journal, once, what it had begun', async () => {
    const [died, { store }] = [createReplica().store, createReplica()];
    const fingerprint = toFingerprint(EVENT);
    const key = toKeyHash('key', REQUEST.caller, EVENT);
    await died.claim(key, fingerprint);
    clock.now += 30_000;
    const settled: string[] = [];
    const idempotent = createIdempotent({
      store,
      append: async (event) => {
        settled.push(event.kind);
        return Object.assign({}, event, SEAL);
      },
      findPast: () => ({ intent: Object.assign({}, EVENT, SEAL) }),
      requestDeadlineMs: 1000,
    });
    const settle = () =>
      idempotent(
        REQUEST,
        EVENT,
        () => assert.fail('nothing is done again'),
        async (window) => window,
      );
    const answers = await Promise.allSettled([settle(), settle()]);
    assert.deepEqual(
      answers.map((answer) => (answer.status === 'fulfilled' ? 'settled' : answer.reason.code)),
      ['settled', 'request_in_progress'],
    );
    await settle();
    assert.deepEqual(settled, ['settled']);
  });

  it('answers idempotency_unavailable while Redis is gone, unless the record is in this process', async () => {
    const { link, store } = createReplica();
    await store.claim(KEY, ASKED);
    await store.keep(KEY, SUCCESS);
    link.state = 'down';
    await assert.rejects(store.claim('new', ASKED), isUnavailable);
    await assert.rejects(store.claim('new', ASKED), isUnavailable);
    assert.deepEqual(await store.claim(KEY, ASKED), { kind: 'known', record: SUCCESS });
    link.state = 'up';
    assert.deepEqual(await store.claim('new', ASKED), { kind: 'first' });
  });

  it('never fails to keep an outcome, and tells Redis with the next claim', async () => {
    const [one, two] = [createReplica({ retryMs: DAY }), createReplica().store];
    await one.store.claim(KEY, ASKED);
    one.link.state = 'down';
    await one.store.keep(KEY, SUCCESS);
    one.link.state = 'up';
    assert.deepEqual(await two.claim(KEY, ASKED), { kind: 'under_way', fingerprint: ASKED });
    await one.store.claim('something else', ASKED);
    await flushQueue();
    assert.deepEqual(await two.claim(KEY, ASKED), { kind: 'known', record: SUCCESS });
  });

  it('tells Redis of an outcome soon after its return, though nobody claims anything', async () => {
    const [one, two] = [createReplica(), createReplica().store];
    await one.store.claim(KEY, ASKED);
    one.link.state = 'down';
    await one.store.keep(KEY, SUCCESS);
    one.link.state = 'up';
    await waitUntil(async () => (await two.claim(KEY, ASKED)).kind === 'known');
    assert.deepEqual(await two.claim(KEY, ASKED), { kind: 'known', record: SUCCESS });
  });

  it('gives a key back whose claim was never answered, though nobody claims anything', async () => {
    const [one, two] = [createReplica(), createReplica().store];
    one.link.state = 'deaf';
    await assert.rejects(one.store.claim(KEY, ASKED), isUnavailable);
    assert.deepEqual(await two.claim(KEY, ASKED), { kind: 'under_way', fingerprint: ASKED });
    one.link.state = 'up';
    await waitUntil(async () => (await two.claim(KEY, ASKED)).kind === 'first');
  });

  it('tells Redis at a stop what it could not be told before', async () => {
    const [one, two] = [createReplica({ retryMs: DAY }), createReplica().store];
    for (const key of ['done', 'lost']) await one.store.claim(key, ASKED);
    one.link.state = 'down';
    await one.store.keep('done', SUCCESS);
    await one.store.release('lost');
    one.link.state = 'up';
    await one.store.close();
    assert.deepEqual(await two.claim('done', ASKED), { kind: 'known', record: SUCCESS });
    assert.deepEqual(await two.claim('lost', ASKED), { kind: 'first' });
  });

  it('security: keeps the mark of a settling whose claim was never answered', async () => {
    const [one, two] = [createReplica(), createReplica().store];
    await one.store.claim(KEY, ASKED);
    await one.store.keep(KEY, UNKNOWN);
    one.link.state = 'deaf';
    assert.deepEqual(await one.store.claim(KEY, ASKED), { kind: 'known', record: UNKNOWN });
    one.link.state = 'up';
    await one.store.claim('something else', ASKED);
    await flushQueue();
    assert.deepEqual(await two.claim(KEY, ASKED), { kind: 'under_way', fingerprint: ASKED });
    await one.store.keep(KEY, SUCCESS);
    assert.deepEqual(await two.claim(KEY, ASKED), { kind: 'known', record: SUCCESS });
  });

  it('does not mark a key that was asked for with another body', async () => {
    const [one, two] = [createReplica().store, createReplica().store];
    await one.claim(KEY, ASKED);
    await one.keep(KEY, UNKNOWN);
    await server.admin.flushall();
    assert.deepEqual(await one.claim(KEY, 'another'), { kind: 'known', record: UNKNOWN });
    assert.deepEqual(await two.claim(KEY, ASKED), { kind: 'first' });
  });

  it('takes back a claim whose answer was lost', async () => {
    const { link, store } = createReplica();
    link.state = 'deaf';
    await assert.rejects(store.claim(KEY, ASKED), isUnavailable);
    link.state = 'up';
    assert.deepEqual(await store.claim(KEY, ASKED), { kind: 'first' });
  });

  it('security: what is taken back late does not free the claim of another replica', async () => {
    const [one, two] = [createReplica(), createReplica().store];
    one.link.state = 'down';
    await assert.rejects(one.store.claim(KEY, ASKED), isUnavailable);
    await two.claim(KEY, ASKED);
    one.link.state = 'up';
    assert.deepEqual(await one.store.claim(KEY, ASKED), { kind: 'under_way', fingerprint: ASKED });
  });

  it('trusts its own record when Redis has lost it', async () => {
    const { store } = createReplica();
    await store.claim(KEY, ASKED);
    await store.keep(KEY, UNKNOWN);
    await server.admin.flushall();
    assert.deepEqual(await store.claim(KEY, ASKED), { kind: 'known', record: UNKNOWN });
  });
});
