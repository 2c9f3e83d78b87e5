import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import { OTHER_TENANT_ID, TENANT_ID } from '../../sandbox/directory.ts';
import type { FaultInput } from '../../sandbox/fault/fault.ts';
import { startSandbox } from '../support/sandbox.ts';
import { startService, type Service } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { dieNow } from './support/die-now.ts';
import { createActor, readCode, readOutcome, type Actor, type Operation } from './support/fault-case.ts';

const sandbox = await startSandbox({ graph: { quota: 'off' } });
after(sandbox.close);
const KEY = { 'idempotency-key': '8e03978e-40d5-43dd-bc93-6894a57f9324' };

const start = (t: TestContext, environment: Readonly<Record<string, string>> = {}, auditDirectory?: string) =>
  startService(t, {
    sandbox,
    environment: {
      REQUEST_DEADLINE_MS: '9000',
      ALLOWED_TENANT_IDS: `${TENANT_ID},${OTHER_TENANT_ID}`,
      ...environment,
    },
    ...(auditDirectory !== undefined && { auditDirectory }),
  });

const postsOf = ({ user }: Actor): number =>
  sandbox.graph.journal.requests.filter(
    (request) => request.user === user.objectId && request.method === 'POST',
  ).length;

/** Status and code of what the same request gets with the key. */
async function ask(actor: Actor, headers: Readonly<Record<string, string>> = KEY) {
  const answer = await actor.send(headers);
  const code = readCode(answer);
  return code === undefined ? answer.status : `${answer.status} ${code}`;
}

/** A creation whose answer is lost, and that Graph acts on once both looks have missed it. */
async function loseAndActLate(actor: Actor): Promise<void> {
  actor.faults([{ kind: 'reset' }]);
  assert.equal(await ask(actor), '502 outcome_unknown');
  actor.actLate();
}

const settledOf = async (service: Service) => service.audited('settled');

const PII = {
  AUDIT_PII: 'pseudonymous',
  AUDIT_HMAC_KEY: Buffer.alloc(32, 7).toString('base64'),
};

test('what Entra refuses or delays frees the key', async (t) => {
  const service = await start(t, { UPSTREAM_TIMEOUT_MS: '3000' });
  const actor = await createActor(service, TENANT_ID);
  for (const refusal of ['interaction_required', 'assertion_refused', 'server_error'] as const) {
    sandbox.entra.refuse(actor.user.objectId, refusal);
    assert.notEqual(await ask(actor), 204);
  }
  sandbox.entra.refuse(actor.user.objectId, undefined);
  sandbox.entra.faults.add({ operation: 'token', kind: 'hang' });
  assert.equal(await ask(actor), '504 upstream_timeout');
  assert.equal(await ask(actor), 204);
  assert.equal(actor.commits(), 1);
});

// Mostly waiting: each has a service and a user of its own.
describe('Idempotency-Key', { concurrency: 8 }, () => {
  for (const operation of ['createToken', 'revokeToken'] as const) {
    test(`${operation}: the same key gives a success again, without a second commit`, async (t) => {
      const service = await start(t);
      const actor = await createActor(service, TENANT_ID, { operation });
      for (let time = 0; time < 3; time += 1) assert.equal(await ask(actor), 204);
      assert.equal(actor.commits(), 1);
      assert.equal(postsOf(actor), 1);
      assert.equal((await service.audited('intent')).length, 1);
      assert.equal(await ask(actor, { 'idempotency-key': 'another' }), 204);
      assert.equal(actor.commits(), 2);
    });
  }

  test('the key alone is nothing: it belongs to user, tenant, client, route and profile', async (t) => {
    const service = await start(t);
    const actors = await Promise.all([
      createActor(service, TENANT_ID),
      createActor(service, TENANT_ID),
      createActor(service, OTHER_TENANT_ID),
      createActor(service, TENANT_ID, { operation: 'revokeToken' }),
    ]);
    for (const actor of actors) assert.equal(await ask(actor), 204);
    assert.deepEqual(
      actors.map((actor) => actor.commits()),
      [1, 1, 1, 1],
    );
    const [intent] = await service.audited('intent');
    assert.match(String(intent?.['idempotencyKeyHash']), /^[0-9a-f]{64}$/);
    assert.ok(!JSON.stringify(await service.audited()).includes(KEY['idempotency-key']));
  });

  test('another body under the same key is 422; the first one stands', async (t) => {
    const service = await start(t);
    const actor = await createActor(service, TENANT_ID);
    assert.equal(await ask(actor), 204);
    assert.equal((await actor.send(KEY, '{"tokenValidityInSeconds":61}')).status, 422);
    // The same body, written in another way, is the same request.
    assert.equal((await actor.send(KEY, ' { "tokenValidityInSeconds" : 3600 } ')).status, 204);
    assert.equal(actor.commits(), 1);
  });

  test('while the first is under way: 409 to all others, and one commit', async (t) => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const service = await startService(t, {
      sandbox,
      wrap: {
        append: (append) => append,
        send: (send) => async (request) => {
          const answer = await send(request);
          if (request.url.endsWith('/createToken')) await held;
          return answer;
        },
      },
    });
    const actor = await createActor(service, TENANT_ID);
    const first = ask(actor);
    await waitUntil(() => actor.commits() === 1);
    const others = await Promise.all(Array.from({ length: 20 }, () => ask(actor)));
    assert.deepEqual(new Set(others), new Set(['409 request_in_progress']));
    release();
    assert.equal(await first, 204);
    assert.equal(await ask(actor), 204);
    assert.equal(actor.commits(), 1);
  });

  for (const [status, answer] of [
    [400, '400 graph_rejected'],
    [403, '403 graph_forbidden'],
    [404, '404 profile_not_found'],
    [409, '409 graph_conflict'],
  ] as const) {
    test(`a refusal of Graph's (${status}) is given again without asking it`, async (t) => {
      const service = await start(t);
      const actor = await createActor(service, TENANT_ID);
      actor.faults([{ kind: 'answer', status }]);
      assert.equal(await ask(actor), answer);
      assert.equal(await ask(actor), answer);
      assert.equal(postsOf(actor), 1);
      assert.equal(actor.commits(), 0);
    });
  }

  const FREEING: readonly (readonly [string, readonly FaultInput[]])[] = [
    ['503 graph_throttled', [{ kind: 'answer', status: 429, headers: { 'retry-after': '30' } }]],
    ['503 graph_unavailable', [{ kind: 'answer', status: 503, body: 'html' }]],
    ['502 upstream_failed', [{ kind: 'answer', status: 500 }]],
  ];

  for (const [answer, faults] of FREEING) {
    test(`${answer} frees the key: nothing was done, and it may pass later`, async (t) => {
      const service = await start(t);
      const actor = await createActor(service, TENANT_ID);
      actor.faults(faults);
      assert.equal(await ask(actor), answer);
      // Asked anew, and not answered from a record.
      const again = await ask(actor);
      assert.ok(again === 204 || again === '503 graph_throttled', String(again));
      assert.equal((await service.audited('intent')).length, 2);
    });
  }

  for (const set of ['androidForWorkEnrollmentProfiles', 'androidDeviceOwnerEnrollmentProfiles'] as const) {
    test(`an open outcome is settled by the same key, once it is seen; recorded once: ${set}`, async (t) => {
      const service = await start(t);
      const actor = await createActor(service, TENANT_ID, { set });
      await loseAndActLate(actor);
      for (let time = 0; time < 3; time += 1) assert.equal(await ask(actor), 204);
      const [intent] = await service.audited('intent');
      assert.deepEqual(
        (await settledOf(service)).map(({ intent: of, result }) => [of, result]),
        [[intent?.id, 'success']],
      );
      assert.equal(actor.commits(), 1);
      assert.equal(postsOf(actor), 1);
    });
  }

  test('an open outcome that is not seen stays open, is never sent again, and says what to do', async (t) => {
    const service = await start(t);
    const actor = await createActor(service, TENANT_ID);
    actor.faults([{ kind: 'reset' }]);
    assert.equal(await ask(actor), '502 outcome_unknown');
    const again = await actor.send(KEY);
    assert.equal(readCode(again), 'outcome_unknown');
    assert.match(again.text, /same Idempotency-Key, or read the profile/);
    assert.equal(postsOf(actor), 1);
    assert.deepEqual(await settledOf(service), []);
  });

  test('an open answer of the wrong kind is given again as what it was', async (t) => {
    const service = await start(t);
    const actor = await createActor(service, TENANT_ID);
    actor.faults([{ kind: 'answer', status: 200 }]);
    const first = await actor.send(KEY);
    assert.equal(readCode(first), 'upstream_invalid');
    assert.match(first.text, /same Idempotency-Key, or read the profile/);
    assert.equal(await ask(actor), '502 upstream_invalid');
  });

  for (const operation of ['createToken', 'revokeToken'] as const) {
    for (const status of [304, 307, 599]) {
      test(`security: ${operation} keeps its key after ${status}, by which it may have been done`, async (t) => {
        const service = await start(t);
        const actor = await createActor(service, TENANT_ID, { operation });
        const code = status === 599 ? 'outcome_unknown' : 'upstream_invalid';
        actor.faults([
          { kind: 'answer', when: 'after', status, body: 'empty' },
          { operation: 'get', kind: 'answer', status: 404, times: 2 },
        ]);
        assert.equal(await ask(actor), `502 ${code}`);
        assert.equal(await ask(actor), operation === 'createToken' ? 204 : `502 ${code}`);
        assert.equal(postsOf(actor), 1);
        assert.equal(actor.commits(), 1);
      });
    }
  }

  test('an open revoke stays open: a new token may stand there by then', async (t) => {
    const service = await start(t);
    const actor = await createActor(service, TENANT_ID, { operation: 'revokeToken' });
    actor.faults([{ kind: 'reset', when: 'after' }]);
    assert.equal(await ask(actor), '502 outcome_unknown');
    assert.equal(await ask(actor), '502 outcome_unknown');
    assert.equal(postsOf(actor), 1);
  });

  test('security: a later creation does not make an older open one look done', async (t) => {
    const service = await start(t);
    const actor = await createActor(service, TENANT_ID);
    actor.faults([{ kind: 'reset' }]);
    assert.equal(await ask(actor), '502 outcome_unknown');
    assert.equal(await ask(actor, {}), 204);
    assert.equal(await ask(actor), '502 outcome_unknown');
    assert.deepEqual(await settledOf(service), []);
  });

  test('two who ask at once for what is open: one settles, one is told to wait', async (t) => {
    let isHeld = false;
    const service = await startService(t, {
      sandbox,
      wrap: {
        append: (append) => append,
        send: (send) => async (request) => {
          if (request.method === 'GET') await waitUntil(() => !isHeld);
          return send(request);
        },
      },
    });
    const actor = await createActor(service, TENANT_ID);
    await loseAndActLate(actor);
    isHeld = true;
    const asking = [ask(actor), ask(actor)];
    // Who looks is held until the other one has its answer.
    await Promise.race(asking);
    isHeld = false;
    const answers = await Promise.all(asking);
    assert.deepEqual(new Set(answers), new Set([204, '409 request_in_progress']));
    assert.equal((await settledOf(service)).length, 1);
  });

  for (const [name, environment] of [
    ['', {}],
    [', pseudonymous', PII],
  ] as const) {
    test(`the process dies behind Graph; the next one settles with the same key, and only once${name}`, async (t) => {
      const first = await start(t, { ...environment, UPSTREAM_TIMEOUT_MS: '5000' });
      const actor = await createActor(first, TENANT_ID);
      actor.faults([{ kind: 'hang', when: 'after' }]);
      const lost = ask(actor);
      await waitUntil(() => actor.commits() === 1);
      const directory = await dieNow(t, first);

      const second = await start(t, environment, directory);
      const reborn: Actor = { ...actor, send: actor.sendTo(second.url) };
      assert.equal((await second.audited('recovered')).length, 1);
      assert.equal(await ask(reborn), 204);
      assert.equal(await ask(reborn), 204);
      assert.equal((await settledOf(second)).length, 1);
      await second.stop();

      const third = await start(t, environment, directory);
      assert.equal(await ask({ ...actor, send: actor.sendTo(third.url) }), 204);
      assert.equal((await settledOf(third)).length, 1);
      assert.equal(actor.commits(), 1);
      await lost;
    });
  }

  test('the process dies before Graph acted: the next one leaves it open, and sends nothing', async (t) => {
    const first = await start(t, { UPSTREAM_TIMEOUT_MS: '5000' });
    const actor = await createActor(first, TENANT_ID);
    // A token of a moment ago, which is not the one.
    await ask(actor, {});
    actor.faults([{ kind: 'hang' }]);
    const lost = ask(actor);
    await waitUntil(() => postsOf(actor) === 2);
    const second = await start(t, {}, await dieNow(t, first));
    const reborn = { ...actor, send: actor.sendTo(second.url) };
    assert.equal(await ask(reborn), '502 outcome_unknown');
    assert.equal(postsOf(actor), 2);
    // What this process creates later is not the one either.
    assert.equal(await ask(reborn, {}), 204);
    assert.equal(await ask(reborn), '502 outcome_unknown');
    await lost;
  });

  for (const [operation, faults, answer] of [
    ['createToken', [], 204],
    ['createToken', [{ kind: 'answer', status: 403 }], '403 graph_forbidden'],
    ['createToken', [{ kind: 'answer', status: 200 }], '502 upstream_invalid'],
    ['revokeToken', [], 204],
    ['revokeToken', [{ kind: 'reset' }], '502 outcome_unknown'],
  ] satisfies readonly (readonly [Operation, readonly FaultInput[], string | number])[]) {
    test(`after a restart the first outcome of ${operation} (${answer}) is given again`, async (t) => {
      const first = await start(t);
      const actor = await createActor(first, TENANT_ID, { operation });
      actor.faults(faults);
      assert.equal(await ask(actor), answer);
      const second = await start(t, {}, await dieNow(t, first));
      const reborn = { ...actor, send: actor.sendTo(second.url) };
      assert.equal(await ask(reborn), answer);
      assert.equal(postsOf(actor), 1);
      if (operation === 'createToken') {
        const other = await reborn.send(KEY, '{"tokenValidityInSeconds":61}');
        assert.equal(other.status, 422);
      }
    });
  }

  test('after a restart a key that was free is free', async (t) => {
    const first = await start(t);
    const actor = await createActor(first, TENANT_ID);
    actor.faults([{ kind: 'answer', status: 500 }]);
    assert.equal(await ask(actor), '502 upstream_failed');
    const second = await start(t, {}, await dieNow(t, first));
    assert.equal(await ask({ ...actor, send: actor.sendTo(second.url) }), 204);
    assert.equal(actor.commits(), 1);
  });

  test('the outcome of a request with a key is on record before its answer', async (t) => {
    const service = await start(t);
    const actor = await createActor(service, TENANT_ID);
    const { clientRequestId } = await actor.send(KEY);
    assert.equal((await readOutcome(service, clientRequestId)).result, 'success');
  });
});
