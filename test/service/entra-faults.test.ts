import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import { createAdminServer } from '../../src/admin/admin-server.ts';
import type { FaultInput } from '../../sandbox/fault/fault.ts';
import { startService, type Service } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { ask, type Reply } from './support/ask.ts';
import { createClock, HOUR, SECOND, type Clock } from './support/clock.ts';
import { startDecoys } from './support/decoys.ts';
import { toFaults } from './support/entra-faults.ts';

/** What a stall costs here. All else has the time that the service gives it: on a busy machine loopback alone may take a second. */
const STALL_MS = 2 * SECOND;
/** The longest wait after a failure while there are no keys, and while there are. */
const COLD_WAIT = 5 * SECOND;
const WARM_WAIT = 30 * SECOND;

type Bench = Readonly<{
  service: Service;
  clock: Clock;
  /** Lets Entra answer so, and no longer as before. */
  strike: (fault: FaultInput) => void;
  /** Lets Entra answer as it should. */
  heal: () => void;
  /** createToken with a fresh, valid token. */
  create: () => Promise<Reply>;
  /** Loads of keys that failed so far. */
  failures: () => number;
}>;

async function startBench(t: TestContext): Promise<Bench> {
  const clock = createClock();
  let stalls: string | undefined;
  const service = await startService(t, {
    now: clock.now,
    environment: { RATE_LIMIT_ADDRESS: 'off' },
    wrap: {
      send: (send) => async (request) =>
        send(toOperation(request.url) === stalls ? { ...request, timeoutMs: STALL_MS } : request),
      append: (append) => append,
    },
  });
  const heal = () => {
    stalls = undefined;
    service.entra.faults.clear();
  };
  return {
    service,
    clock,
    strike: (fault) => {
      heal();
      stalls = fault.kind === 'hang' || fault.kind === 'drip' ? fault.operation : undefined;
      service.entra.faults.add(fault);
    },
    heal,
    create: async () => ask(service, await service.bearer()),
    failures: () => service.logged().split('the signing keys could not be loaded').length - 1,
  };
}

function toOperation(url: string): 'metadata' | 'keys' | 'other' {
  if (url.endsWith('/.well-known/openid-configuration')) return 'metadata';
  return url.includes('/discovery/') ? 'keys' : 'other';
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
      const { service, clock, strike, heal, create } = await startBench(t);
      const { entra, notReady } = service;
      const decoys = await startDecoys(t, entra);
      let retryAfter = 0;
      for (const [name, fault] of toFaults(operation, entra, decoys)) {
        await t.test(name, async () => {
          clock.advance(COLD_WAIT);
          strike(fault);
          const before = entra.journal.counts[operation];
          const replies = await Promise.all([create(), create(), create()]);
          retryAfter = Math.max(...replies.map((reply) => assertUnavailable(reply)));
          assert.deepEqual(notReady(), ['entra_keys']);
          assert.equal(entra.journal.counts[operation], before + 1, 'the loads were not joined');
        });
      }
      assert.equal(decoys.requests(), 0, 'keys were taken from where nobody vouches for them');
      assert.equal(entra.journal.exchanges.length, 0);

      heal();
      clock.advance(retryAfter * SECOND);
      assert.equal((await create()).status, 204);
      assert.deepEqual(notReady(), []);
    });

    test(`instead of ${operation}, later: service as before with the keys known`, async (t) => {
      const { service, clock, strike, heal, create, failures } = await startBench(t);
      const { entra, notReady } = service;
      const decoys = await startDecoys(t, entra);
      assert.equal((await create()).status, 204);

      for (const [name, fault] of toFaults(operation, entra, decoys)) {
        await t.test(name, async () => {
          clock.advance(HOUR);
          strike(fault);
          const before = failures();
          assert.equal((await create()).status, 204);
          await waitUntil(() => notReady().length > 0 || failures() > before);
          assert.deepEqual(notReady(), []);
          assert.equal((await create()).status, 204);

          heal();
          clock.advance(WARM_WAIT);
          const asked = entra.journal.counts.keys;
          await waitUntil(() => notReady().length > 0 || entra.journal.counts.keys > asked);
        });
      }
    });
  }

  test('keys that were good serve for 24 hours, and not a second longer', async (t) => {
    const { service, clock, heal, create } = await startBench(t);
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

    heal();
    clock.advance(WARM_WAIT);
    assert.equal((await create()).status, 204);
    assert.deepEqual(notReady(), []);
  });

  test('a token of a key that was rotated in while Entra cannot be asked: 503, not 401, then 204', async (t) => {
    const { service, clock, strike, heal, create } = await startBench(t);
    const { entra, notReady } = service;
    const before = await service.bearer();
    assert.equal((await create()).status, 204);
    await entra.keys.rotate();
    for (const [, fault] of toFaults('keys', entra, await startDecoys(t, entra)).slice(0, 6)) {
      strike(fault);
      clock.advance(WARM_WAIT);
      assertUnavailable(await create(), 30);
      assert.equal((await ask(service, before)).status, 204, 'a token of the key known');
      assert.deepEqual(notReady(), []);
    }
    heal();
    const { retryAfter = 0 } = await create();
    clock.advance(retryAfter * SECOND);
    assert.equal((await create()).status, 204);
  });

  test('nobody there at all: 503, also on the probe of the admin port', async (t) => {
    const { service, clock, heal, create } = await startBench(t);
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
    heal();
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
