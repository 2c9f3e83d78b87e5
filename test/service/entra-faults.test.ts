import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import { createAdminServer } from '../../src/admin/admin-server.ts';
import { startService, type Service } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { ask, type Reply } from './support/ask.ts';
import { createClock, HOUR, SECOND, type Clock } from './support/clock.ts';
import { startDecoys } from './support/decoys.ts';
import { toFaults } from './support/entra-faults.ts';

/** Far above what an exchange on loopback takes, and what a stall costs here. */
const UPSTREAM_TIMEOUT_MS = '1000';
/** The longest wait after a failure while there are no keys, and while there are. */
const COLD_WAIT = 5 * SECOND;
const WARM_WAIT = 30 * SECOND;

type Bench = Readonly<{
  service: Service;
  clock: Clock;
  /** createToken with a fresh, valid token. */
  create: () => Promise<Reply>;
  /** Loads of keys that failed so far. */
  failures: () => number;
}>;

async function startBench(t: TestContext): Promise<Bench> {
  const clock = createClock();
  const service = await startService(t, {
    now: clock.now,
    environment: { UPSTREAM_TIMEOUT_MS, RATE_LIMIT_ADDRESS: 'off' },
  });
  return {
    service,
    clock,
    create: async () => ask(service, await service.bearer()),
    failures: () => service.logged().split('the signing keys could not be loaded').length - 1,
  };
}

function assertUnavailable({ status, code, retryAfter = 0, challenge }: Reply, longest = 5): number {
  assert.equal(status, 503);
  assert.equal(code, 'entra_unavailable');
  assert.ok(Number.isInteger(retryAfter) && retryAfter >= 1 && retryAfter <= longest, String(retryAfter));
  assert.equal(challenge, undefined);
  return retryAfter;
}

describe('whatever Entra answers', { concurrency: true }, () => {
  for (const operation of ['metadata', 'keys'] as const) {
    test(`instead of ${operation}, at start: 503 until it answers, then service without a restart`, async (t) => {
      const { service, clock, create } = await startBench(t);
      const { entra, notReady } = service;
      const decoys = await startDecoys(t, entra);
      let retryAfter = 0;
      for (const [name, fault] of toFaults(operation, entra, decoys)) {
        await t.test(name, async () => {
          clock.advance(COLD_WAIT);
          entra.faults.clear();
          entra.faults.add(fault);
          const before = entra.journal.counts[operation];
          const replies = await Promise.all([create(), create(), create()]);
          retryAfter = Math.max(...replies.map((reply) => assertUnavailable(reply)));
          assert.deepEqual(notReady(), ['entra_keys']);
          assert.equal(entra.journal.counts[operation], before + 1, 'the loads were not joined');
        });
      }
      assert.equal(decoys.requests(), 0, 'keys were taken from where nobody vouches for them');
      assert.equal(entra.journal.exchanges.length, 0);

      entra.faults.clear();
      clock.advance(retryAfter * SECOND);
      assert.equal((await create()).status, 204);
      assert.deepEqual(notReady(), []);
    });

    test(`instead of ${operation}, later: service as before with the keys known`, async (t) => {
      const { service, clock, create, failures } = await startBench(t);
      const { entra, notReady } = service;
      const decoys = await startDecoys(t, entra);
      assert.equal((await create()).status, 204);

      for (const [name, fault] of toFaults(operation, entra, decoys)) {
        await t.test(name, async () => {
          clock.advance(HOUR);
          entra.faults.clear();
          entra.faults.add(fault);
          const before = failures();
          assert.equal((await create()).status, 204);
          await waitUntil(() => notReady().length > 0 || failures() > before);
          assert.deepEqual(notReady(), []);
          assert.equal((await create()).status, 204);

          entra.faults.clear();
          clock.advance(WARM_WAIT);
          const asked = entra.journal.counts.keys;
          await waitUntil(() => notReady().length > 0 || entra.journal.counts.keys > asked);
        });
      }
    });
  }

  test('keys that were good serve for 24 hours, and not a second longer', async (t) => {
    const { service, clock, create } = await startBench(t);
    const { entra, notReady } = service;
    assert.equal((await create()).status, 204);
    entra.faults.add({ operation: 'metadata', kind: 'answer', status: 500, times: 'always' });
    clock.advance(24 * HOUR - SECOND);
    assert.equal((await create()).status, 204);
    assert.deepEqual(notReady(), []);
    const { authorization } = await service.bearer();
    assert.equal((await ask(service, { authorization })).status, 204);

    clock.advance(SECOND);
    assert.deepEqual(notReady(), ['entra_keys']);
    assertUnavailable(await create(), 30);
    // Verified a second ago, but with keys that are good no more.
    assertUnavailable(await ask(service, { authorization }), 30);

    entra.faults.clear();
    clock.advance(WARM_WAIT);
    assert.equal((await create()).status, 204);
    assert.deepEqual(notReady(), []);
  });

  test('a token of a key that was rotated in while Entra cannot be asked: 503, not 401, then 204', async (t) => {
    const { service, clock, create } = await startBench(t);
    const { entra, notReady } = service;
    const before = await service.bearer();
    assert.equal((await create()).status, 204);
    await entra.keys.rotate();
    for (const [, fault] of toFaults('keys', entra, await startDecoys(t, entra)).slice(0, 6)) {
      entra.faults.clear();
      entra.faults.add(fault);
      clock.advance(WARM_WAIT);
      assertUnavailable(await create(), 30);
      assert.equal((await ask(service, before)).status, 204, 'a token of the key known');
      assert.deepEqual(notReady(), []);
    }
    entra.faults.clear();
    const { retryAfter = 0 } = await create();
    clock.advance(retryAfter * SECOND);
    assert.equal((await create()).status, 204);
  });

  test('nobody there at all: 503, also on the probe of the admin port', async (t) => {
    const { service, clock, create } = await startBench(t);
    const admin = createAdminServer({ metrics: service.metrics, isReady: service.notReady });
    admin.listen(0, '127.0.0.1');
    await once(admin, 'listening');
    t.after(() => admin.close());
    const address = admin.address();
    assert.ok(typeof address === 'object' && address !== null);
    const probe = async () => {
      const response = await fetch(`http://127.0.0.1:${address.port}/readyz`);
      return [response.status, await response.json()];
    };
    const UNREADY = [503, { status: 'unavailable', notReady: ['entra_keys'] }];

    service.entra.faults.add({ kind: 'reset', times: 'always' });
    assert.deepEqual(await probe(), UNREADY);
    assertUnavailable(await create());
    service.entra.faults.clear();
    clock.advance(COLD_WAIT);
    // Nobody calls a service that is not ready: the probe itself begins the load.
    await waitUntil(async () => (await probe())[0] === 200);
    const authorization = await service.bearer();

    clock.advance(24 * HOUR);
    await service.entra.close();
    assertUnavailable(await ask(service, authorization));
    assert.deepEqual(await probe(), UNREADY);
  });
});
