// Graph's clock is off by less than the second in which its `Date` is written.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startService, type Service } from '../support/service.ts';

const SETS = {
  forWork: 'androidForWorkEnrollmentProfiles',
  deviceOwner: 'androidDeviceOwnerEnrollmentProfiles',
} as const;
type Name = keyof typeof SETS;
const NAMES = ['forWork', 'deviceOwner'] as const;
const OFF = ['ADDRESS', 'CLIENT', 'TENANT'].map((tier) => [`RATE_LIMIT_${tier}`, 'off']);
/** The last one waits for nine others; how fast they pass is no question here. */
const PATIENT = { REQUEST_DEADLINE_MS: '120000', SHUTDOWN_GRACE_MS: '130000' };

/** When a read was at Graph, by our clock. */
type Read = Readonly<{ askedAt: number; answeredAt: number }>;

async function start(t: TestContext, skew: number, beforeRead: () => unknown = () => {}) {
  const reads: Read[] = [];
  const service = await startService(t, {
    environment: { ...Object.fromEntries(OFF), ...PATIENT },
    graph: { now: () => Date.now() + skew },
    wrap: {
      append: (append) => append,
      send: (send) => async (request) => {
        if (request.method !== 'GET' || !request.url.includes('/deviceManagement/')) return send(request);
        await beforeRead();
        const askedAt = Date.now();
        const answer = await send(request);
        reads.push({ askedAt, answeredAt: Date.now() });
        return answer;
      },
    },
  });
  return { ...service, reads };
}

async function create(service: Service, name: Name) {
  const clientRequestId = randomUUID();
  const response = await fetch(service.url + service.createPath(name), {
    method: 'POST',
    headers: {
      ...(await service.bearer()),
      'content-type': 'application/json',
      prefer: 'return=representation',
      'client-request-id': clientRequestId,
    },
    body: '{"tokenValidityInSeconds":3600}',
  });
  const body: unknown = await response.json();
  return { status: response.status, value: Object(body).tokenValue, clientRequestId };
}

/** So many at once: each gets its own token or 409, never another's. */
async function race(service: Service, name: Name, count: number): Promise<readonly number[]> {
  const answers = await Promise.all(Array.from({ length: count }, () => create(service, name)));
  for (const { status, value, clientRequestId } of answers) {
    const own = service.graph.journal.commits.find((commit) => commit.clientRequestId === clientRequestId);
    if (status === 200) assert.equal(value, own?.tokenValue);
    else assert.equal(status, 409);
  }
  return answers.map(({ status }) => status);
}

/**
 * Reads around the turn of one of Graph's seconds, which tells its clock to the round trip; again as long as the machine was too busy
 * for one read right before it and one right behind it.
 */
async function narrow({ url, graph, bearer, reads }: Awaited<ReturnType<typeof start>>, skew: number) {
  const { deviceOwner } = graph.profiles;
  graph.store.createToken(SETS.deviceOwner, deviceOwner, 3600);
  const path = `/beta/deviceManagement/${SETS.deviceOwner}/${deviceOwner}/enrollmentToken`;
  const headers = await bearer();
  for (;;) {
    const turn = Math.ceil((Date.now() + skew + 100) / 1000) * 1000 - skew;
    for (const before of [60, 40, 20, 0, -20]) {
      await wait(Math.max(0, turn - before - Date.now()));
      assert.equal((await fetch(url + path, { headers })).status, 200);
    }
    const isBefore = ({ askedAt, answeredAt }: Read) => askedAt >= turn - 70 && answeredAt < turn;
    const isBehind = ({ askedAt, answeredAt }: Read) => askedAt >= turn && answeredAt < turn + 70;
    if (reads.some(isBefore) && reads.some(isBehind)) return;
  }
}

describe('creations with Prefer, ten at once', { concurrency: 4 }, () => {
  for (const skew of [-700, -100, 100, 700]) {
    test(`SECURITY Graph's clock is ${skew} ms off: from the first request on, nobody gets another's token`, async (t) => {
      const service = await start(t, skew);
      for (const name of NAMES) {
        const statuses = await race(service, name, 10);
        // Behind ours its times never look like those of a later creation.
        if (skew < 0) assert.deepEqual(new Set(statuses), new Set([200]), name);
      }
    });

    test(`Graph's clock is ${skew} ms off: once that is known, own callers do not collide`, async (t) => {
      const service = await start(t, skew);
      await narrow(service, skew);
      for (const name of NAMES)
        assert.deepEqual(new Set(await race(service, name, 10)), new Set([200]), name);
    });
  }
});

describe('a creation of somebody else', { concurrency: 2 }, () => {
  for (const skew of [-700, 700]) {
    test(`SECURITY Graph's clock is ${skew} ms off: once that is known, what came after ours is never given out`, async (t) => {
      let createForeign = async () => {};
      const service = await start(t, skew, () => createForeign());
      await narrow(service, skew);
      createForeign = async () => {
        await wait(200);
        service.graph.store.createToken(SETS.deviceOwner, service.graph.profiles.deviceOwner, 3600);
      };
      assert.equal((await create(service, 'deviceOwner')).status, 409);
    });
  }
});
