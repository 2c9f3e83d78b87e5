// Graph refuses the token with which a creation is looked for.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import type { FaultInput } from '../../sandbox/fault/fault.ts';
import { startService } from '../support/service.ts';
import { createActor, readCode } from './support/fault-case.ts';

const KEY = { 'idempotency-key': '5f0a' };
const CLAIMS = { access_token: { nbf: { essential: true, value: '1764000000' } } };

/** A creation that is done, and that no look has seen yet. */
async function startWithUnseen(t: TestContext, environment: Readonly<Record<string, string>> = {}) {
  const service = await startService(t, { environment: { REQUEST_DEADLINE_MS: '9000', ...environment } });
  const actor = await createActor(service, TENANT_ID);
  const UNSEEN: readonly FaultInput[] = [
    { kind: 'reset', when: 'after' },
    { operation: 'get', kind: 'stale', times: 2 },
  ];
  actor.faults(UNSEEN);
  assert.equal(readCode(await actor.send(KEY)), 'outcome_unknown');
  assert.equal(actor.commits(), 1);
  return { service, actor, exchanges: () => service.entra.journal.exchanges.length };
}

describe('the look for a creation, its token refused', { concurrency: 4 }, () => {
  test('by the same key: the token is dropped, and a new one looks', async (t) => {
    const { service, actor, exchanges } = await startWithUnseen(t);
    service.entra.graphTokens.revokeUser(actor.user.objectId);
    assert.equal((await actor.send(KEY)).status, 204);
    assert.equal(exchanges(), 2);
  });

  test('at once, behind the lost answer: the same', async (t) => {
    const service = await startService(t);
    const actor = await createActor(service, TENANT_ID);
    actor.faults([
      { kind: 'reset', when: 'after' },
      { operation: 'get', kind: 'answer', status: 401 },
    ]);
    assert.equal((await actor.send(KEY)).status, 204);
    assert.equal(service.entra.journal.exchanges.length, 2);
    // Within the first look: one read refused, one that sees it.
    assert.equal(service.graph.journal.requests.filter(({ method }) => method === 'GET').length, 2);
  });

  test('for ever: exchanged anew once a look, and left open', async (t) => {
    const { actor, exchanges } = await startWithUnseen(t);
    actor.faults([{ operation: 'get', kind: 'answer', status: 401, times: 'always' }]);
    assert.equal(readCode(await actor.send(KEY)), 'outcome_unknown');
    assert.ok(exchanges() <= 5, String(exchanges()));
  });

  test('by a claims challenge, with ENABLE_CAE: one exchange with the claims satisfies it', async (t) => {
    const { service, actor, exchanges } = await startWithUnseen(t, { ENABLE_CAE: 'true' });
    service.graph.access.challenge(actor.user.objectId, CLAIMS);
    assert.equal((await actor.send(KEY)).status, 204);
    assert.equal(exchanges(), 2);
    assert.match(service.entra.journal.exchanges[1]?.claims ?? '', /1764000000/);
  });

  test('by a claims challenge, without: it goes to the caller, and the outcome stays open', async (t) => {
    const { service, actor } = await startWithUnseen(t);
    service.graph.access.challenge(actor.user.objectId, CLAIMS);
    const answer = await actor.send(KEY);
    assert.equal(readCode(answer), 'claims_challenge');
    assert.match(answer.headers.get('www-authenticate') ?? '', /error="insufficient_claims", claims="/);
    service.graph.access.challenge(actor.user.objectId, undefined);
    assert.equal((await actor.send(KEY)).status, 204);
    assert.equal(actor.commits(), 1);
  });
});
