// A caller that leaves ends what is waited for, never what was begun at Graph, nor its record.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { describe, test, type TestContext } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import { startService, type Service } from '../support/service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createActor, readOutcome, type Actor } from './support/fault-case.ts';

const KEY = { 'idempotency-key': '5f0a' };

/** Sends it, and can leave. */
function sendAndLeave(
  { url, logged }: Service,
  { path, token }: Actor,
  headers: Readonly<Record<string, string>> = {},
) {
  const clientRequestId = randomUUID();
  const request = httpRequest(url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'client-request-id': clientRequestId,
      ...headers,
    },
  });
  request.on('error', () => undefined);
  request.end('{"tokenValidityInSeconds":3600}');
  const leave = async () => {
    if (!request.writableFinished) await once(request, 'finish');
    request.destroy();
    // The access log tells that the service has noticed.
    await waitUntil(() => logged().includes(clientRequestId));
  };
  return { clientRequestId, leave };
}

/** A service whose calls to that address are held, each behind its effect, until they are let go. */
async function startHolding(t: TestContext, address: string) {
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let isHeld = false;
  const service = await startService(t, {
    wrap: {
      append: (append) => append,
      send: (send) => async (request) => {
        const answer = await send(request);
        if (request.url.endsWith(address)) {
          isHeld = true;
          await held;
        }
        return answer;
      },
    },
  });
  return { service, letGo, isHeld: () => isHeld };
}

const postsOf = ({ graph }: Service, { user }: Actor) =>
  graph.journal.requests.filter((request) => request.user === user.objectId && request.method === 'POST')
    .length;

async function requireNothingDone(service: Service, actor: Actor, clientRequestId: string, attempts: number) {
  const outcome = await readOutcome(service, clientRequestId);
  assert.deepEqual([outcome.result, outcome.code], ['failed', 'upstream_timeout']);
  assert.equal(outcome.upstream.attempts, attempts);
  assert.equal(postsOf(service, actor), attempts);
  assert.equal(actor.commits(), 0);
}

describe('the caller leaves', { concurrency: 4 }, () => {
  test('during the exchange: nothing is created, and the key is free', async (t) => {
    const { service, isHeld, letGo } = await startHolding(t, '/oauth2/v2.0/token');
    const actor = await createActor(service, TENANT_ID);
    const { clientRequestId, leave } = sendAndLeave(service, actor, KEY);
    await waitUntil(isHeld);
    await leave();
    letGo();
    await requireNothingDone(service, actor, clientRequestId, 0);
    await waitUntil(async () => (await actor.send(KEY)).status === 204);
    assert.equal(actor.commits(), 1);
  });

  test('during the pause after a 429: it is not sent again, and the pause not waited out', async (t) => {
    let isAnswered = false;
    const service = await startService(t, {
      wrap: {
        append: (append) => append,
        send: (send) => async (request) => {
          const answer = await send(request);
          isAnswered ||= answer.status === 429;
          return answer;
        },
      },
    });
    const actor = await createActor(service, TENANT_ID);
    actor.faults([{ kind: 'answer', status: 429, headers: { 'retry-after': '20' } }]);
    const { clientRequestId, leave } = sendAndLeave(service, actor);
    await waitUntil(() => isAnswered);
    await leave();
    await requireNothingDone(service, actor, clientRequestId, 1);
  });

  test('while it waits for its turn: nothing is sent for it', async (t) => {
    const { service, isHeld, letGo } = await startHolding(t, '/createToken');
    const first = await createActor(service, TENANT_ID);
    const second = await createActor(service, TENANT_ID, { on: first });
    const creating = first.send();
    await waitUntil(isHeld);
    await sendAndLeave(service, second, KEY).leave();
    letGo();
    assert.equal((await creating).status, 204);
    await waitUntil(async () => (await second.send(KEY)).status === 204);
    assert.equal(second.commits(), 1);
  });

  test('behind the write: its outcome is on record, the fingerprint that belongs to it included', async (t) => {
    const AUDIT_HMAC_KEY = Buffer.alloc(32, 7).toString('base64');
    const service = await startService(t, { environment: { AUDIT_FINGERPRINT: 'true', AUDIT_HMAC_KEY } });
    const actor = await createActor(service, TENANT_ID);
    actor.faults([{ kind: 'delay', when: 'after', ms: 500 }]);
    const { leave } = sendAndLeave(service, actor);
    await waitUntil(() => actor.commits() === 1);
    await leave();
    const outcome = await waitUntil(async () => (await service.audited('outcome'))[0]);
    assert.equal(outcome['result'], 'success');
    assert.match(String(outcome['tokenFingerprint']), /^[0-9a-f]{64}$/);
  });
});
