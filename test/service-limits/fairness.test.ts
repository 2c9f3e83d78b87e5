import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { createDeviceOwnerProfile } from '../../sandbox/graph/profile.ts';
import { PUBLISHED_QUOTA } from '../../sandbox/graph/quota.ts';
import { startService, type Service } from '../support/service.ts';

const LONG = process.env['TEST_LONG'] === '1';
/** The published quota (100 writes in 20 s) and the default budget (50 in 20 s); in short everything ten times as fast. */
const SPEED = LONG ? 1 : 10;
const WINDOW_SECONDS = 20 / SPEED;
const BUDGET = 50;
const LOAD_SECONDS = 60 / SPEED;
/** Requests in a second: three times what the budget gives. */
const RATE = (3 * BUDGET) / WINDOW_SECONDS;
const CLIENTS = 5;
const CALLERS = 50;

const SET = 'androidDeviceOwnerEnrollmentProfiles';

type Caller = Readonly<{ clientId: string; path: string; authorization: string }>;

/** One who has asked before: the service has its Graph token. */
async function createCaller({ url, entra, graph }: Service, clientId: string): Promise<Caller> {
  const id = randomUUID();
  const seed = { now: Date.now(), canary: '' };
  graph.store.put(SET, createDeviceOwnerProfile(id, 'P', 'corporateOwnedDedicatedDevice', seed));
  const user = { objectId: randomUUID(), userPrincipalName: 'user@example.com', name: 'User' };
  const scope = 'EnrollmentToken.Create EnrollmentToken.Read';
  const token = await entra.issueToken({ user, tenantId: TENANT_ID, clientId, scope });
  const authorization = `Bearer ${token}`;
  const path = `/beta/deviceManagement/${SET}/${id}`;
  const read = await fetch(url + path, { headers: { authorization } });
  assert.equal(read.status, 200);
  await read.arrayBuffer();
  return { clientId, path: `${path}/createToken`, authorization };
}

async function create({ url }: Service, { path, authorization }: Caller): Promise<number> {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: '{"tokenValidityInSeconds":3600}',
  });
  await answer.arrayBuffer();
  return answer.status;
}

type Load = Readonly<{
  /** How many requests of each client passed. */
  passed: ReadonlyMap<string, number>;
  /** What the budget was meanwhile. */
  budget: number;
  /** Seconds by which requests may have been held up, on this busy machine, between the limit and Graph. */
  delay: number;
  /** Seconds by which the latest request was sent after its time: they did not come evenly then. */
  late: number;
}>;

/** Every request at its time, whatever became of those before it. */
async function load(service: Service, order: readonly Caller[]): Promise<Load> {
  const passed = new Map<string, number>();
  let delay = 0;
  let late = 0;
  const begin = performance.now();
  await Promise.all(
    order.map(async (caller, index) => {
      await sleep((index / RATE) * 1000 - (performance.now() - begin));
      const sentAt = performance.now();
      late = Math.max(late, (sentAt - begin) / 1000 - index / RATE);
      const status = await create(service, caller);
      delay = Math.max(delay, (performance.now() - sentAt) / 1000);
      assert.ok(status === 204 || status === 429, String(status));
      if (status === 204) passed.set(caller.clientId, (passed.get(caller.clientId) ?? 0) + 1);
    }),
  );
  const seconds = (performance.now() - begin) / 1000;
  return { passed, delay, late, budget: BUDGET + (BUDGET * seconds) / WINDOW_SECONDS };
}

const clientIds = Array.from({ length: CLIENTS }, () => randomUUID());

const startLimited = (t: Parameters<typeof startService>[0]) =>
  startService(t, {
    graph: { quota: LONG ? {} : 'off' },
    environment: {
      ALLOWED_CLIENT_IDS: clientIds.join(),
      RATE_LIMIT_ADDRESS: 'off',
      RATE_LIMIT_CLIENT: 'off',
      RATE_LIMIT_TENANT: 'off',
      RATE_LIMIT_GRAPH: `${BUDGET}/${WINDOW_SECONDS}`,
    },
  });

/** Holds what Graph saw to its quota: what was let through apart may have come together by the delay, no more. */
function assertWithinQuota({ graph }: Service, delay: number): void {
  const writes = graph.journal.requests.filter(({ method }) => method === 'POST');
  assert.ok(writes.every(({ status }) => status === 204));
  const windowMs = (WINDOW_SECONDS - delay) * 1000;
  for (const { at } of writes) {
    const inWindow = writes.filter((other) => other.at <= at && other.at > at - windowMs).length;
    assert.ok(inWindow <= PUBLISHED_QUOTA.writes, `${inWindow} writes in one window`);
  }
}

class UnevenLoadError extends Error {
  override readonly name = 'UnevenLoadError';
}

const MOST_TRIES = 4;

/** Each application's part is within a fifth of the mean. */
function assertFair(passed: ReadonlyMap<string, number>): void {
  const total = [...passed.values()].reduce((sum, count) => sum + count, 0);
  const fair = total / CLIENTS;
  for (const clientId of clientIds) {
    const share = passed.get(clientId) ?? 0;
    assert.ok(Math.abs(share - fair) <= 0.2 * fair, `${share} instead of ${fair}`);
  }
}

describe('the budget at Graph', () => {
  test(`50 callers of 5 applications at three times the budget for ${LOAD_SECONDS} s: no 429 of Graph's, fair shares`, async (t) => {
    for (let tried = 1; ; tried += 1) {
      try {
        return await prove();
      } catch (error) {
        // Who a place in the budget falls to is a matter of who comes first: on a machine that holds requests up for longer than one
        // place lasts they do not come in turn, and the run proves nothing of the shares.
        if (!(error instanceof UnevenLoadError) || tried === MOST_TRIES) throw error;
        t.diagnostic('the requests did not come in turn; once more');
      }
    }

    async function prove(): Promise<void> {
      const service = await startLimited(t);
      const callers = await Promise.all(
        Array.from({ length: CALLERS }, (_, index) =>
          createCaller(service, clientIds[index % CLIENTS] ?? ''),
        ),
      );
      const order = Array.from({ length: RATE * LOAD_SECONDS }, (_, index) => callers[index % CALLERS]);
      const { passed, budget, delay, late } = await load(
        service,
        order.filter((caller) => caller !== undefined),
      );
      assertWithinQuota(service, delay);
      const total = [...passed.values()].reduce((sum, count) => sum + count, 0);
      const least = BUDGET + (BUDGET * LOAD_SECONDS) / WINDOW_SECONDS;
      assert.ok(total <= budget && total >= 0.9 * least, `${total} of ${least} to ${budget}`);
      try {
        assertFair(passed);
      } catch (cause) {
        throw late > WINDOW_SECONDS / BUDGET
          ? new UnevenLoadError('the requests came late', { cause })
          : cause;
      }
    }
  });

  test('an application that asks ten times as often leaves the others their part', async (t) => {
    const service = await startLimited(t);
    const [greedy = '', ...others] = clientIds;
    const all = [...Array.from({ length: 10 * others.length }, () => greedy), ...others];
    const callers = await Promise.all(all.map((clientId) => createCaller(service, clientId)));
    // The quiet ones in between.
    const cycle = others.flatMap((_, index) => [
      ...callers.slice(10 * index, 10 * index + 10),
      ...callers.slice(10 * others.length + index, 10 * others.length + index + 1),
    ]);
    const order = Array.from(
      { length: (RATE * LOAD_SECONDS) / 2 },
      (_, index) => cycle[index % cycle.length],
    );
    const { passed, budget, delay } = await load(
      service,
      order.filter((caller) => caller !== undefined),
    );
    assertWithinQuota(service, delay);
    const asked = order.filter((caller) => caller?.clientId !== greedy).length;
    const quiet = others.reduce((sum, clientId) => sum + (passed.get(clientId) ?? 0), 0);
    const taken = passed.get(greedy) ?? 0;
    assert.ok(taken <= 0.7 * budget, `${taken} of ${budget}`);
    assert.ok(quiet >= 0.9 * asked, `${quiet} of ${asked}`);
  });
});
