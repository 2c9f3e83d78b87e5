import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { createDeviceOwnerProfile } from '../../sandbox/graph/profile.ts';
import { startService, type Service } from '../support/service.ts';
import { PATIENT } from './support/replicas.ts';

/** The default budget, half of what Graph publishes: 100 writes in 20 s, which the sandbox keeps to. */
const WINDOW_SECONDS = 20;
const BUDGET = 50;
const LOAD_SECONDS = process.env['TEST_LONG'] === '1' ? 600 : 60;
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
}>;

/** Every request at its time, by the clock of the test: who comes first is told by it, and not by how busy the machine is. */
async function load({ service, clock }: Limited, order: readonly Caller[]): Promise<Load> {
  const passed = new Map<string, number>();
  const begin = clock.now;
  for (const [index, caller] of order.entries()) {
    clock.now = begin + Math.floor((index / RATE) * 1000);
    const status = await create(service, caller);
    assert.ok(status === 204 || status === 429, String(status));
    if (status === 204) passed.set(caller.clientId, (passed.get(caller.clientId) ?? 0) + 1);
  }
  return { passed, budget: BUDGET + (BUDGET * (clock.now - begin)) / 1000 / WINDOW_SECONDS };
}

const clientIds = Array.from({ length: CLIENTS }, () => randomUUID());

type Limited = Readonly<{ service: Service; clock: { now: number } }>;

async function startLimited(t: TestContext): Promise<Limited> {
  const clock = { now: Date.now() };
  const now = () => clock.now;
  const service = await startService(t, {
    graph: { quota: {}, now },
    limits: { now },
    environment: {
      ...PATIENT,
      ALLOWED_CLIENT_IDS: clientIds.join(),
      RATE_LIMIT_ADDRESS: 'off',
      RATE_LIMIT_CLIENT: 'off',
      RATE_LIMIT_TENANT: 'off',
      RATE_LIMIT_GRAPH: `${BUDGET}/${WINDOW_SECONDS}`,
    },
  });
  return { service, clock };
}

function assertNeverThrottled({ service: { graph } }: Limited): void {
  const writes = graph.journal.requests.filter(({ method }) => method === 'POST');
  assert.ok(writes.every(({ status }) => status === 204));
}

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
    const limited = await startLimited(t);
    const callers = await Promise.all(
      Array.from({ length: CALLERS }, (_, index) =>
        createCaller(limited.service, clientIds[index % CLIENTS] ?? ''),
      ),
    );
    const order = Array.from({ length: RATE * LOAD_SECONDS }, (_, index) => callers[index % CALLERS]);
    const { passed, budget } = await load(
      limited,
      order.filter((caller) => caller !== undefined),
    );
    assertNeverThrottled(limited);
    const total = [...passed.values()].reduce((sum, count) => sum + count, 0);
    assert.ok(total <= budget && total >= 0.9 * budget, `${total} of ${budget}`);
    assertFair(passed);
  });

  test('an application that asks ten times as often leaves the others their part', async (t) => {
    const limited = await startLimited(t);
    const [greedy = '', ...others] = clientIds;
    const all = [...Array.from({ length: 10 * others.length }, () => greedy), ...others];
    const callers = await Promise.all(all.map((clientId) => createCaller(limited.service, clientId)));
    // The quiet ones in between.
    const cycle = others.flatMap((_, index) => [
      ...callers.slice(10 * index, 10 * index + 10),
      ...callers.slice(10 * others.length + index, 10 * others.length + index + 1),
    ]);
    const order = Array.from(
      { length: (RATE * LOAD_SECONDS) / 2 },
      (_, index) => cycle[index % cycle.length],
    );
    const { passed, budget } = await load(
      limited,
      order.filter((caller) => caller !== undefined),
    );
    assertNeverThrottled(limited);
    const asked = order.filter((caller) => caller?.clientId !== greedy).length;
    const quiet = others.reduce((sum, clientId) => sum + (passed.get(clientId) ?? 0), 0);
    const taken = passed.get(greedy) ?? 0;
    assert.ok(taken <= 0.7 * budget, `${taken} of ${budget}`);
    assert.ok(quiet >= 0.9 * asked, `${quiet} of ${asked}`);
  });
});
