import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { CLIENT_ID, TENANT_ID } from '../../sandbox/directory.ts';
import { startSandbox } from '../support/sandbox.ts';
import { startService } from '../support/service.ts';
import { createActor, readCode, readOutcome } from './support/fault-case.ts';

const CLAIMS = { access_token: { nbf: { essential: true, value: '1764000000' } } };
const HEADER =
  /^Bearer realm="", authorization_uri="https:\/\/127\.0\.0\.1:\d+\/[0-9a-f-]{36}\/oauth2\/v2\.0\/authorize", client_id="([^"]+)", error="insufficient_claims", claims="([A-Za-z0-9+/=]+)"$/;

const sandbox = await startSandbox({ graph: { quota: 'off' } });
after(sandbox.close);

async function start(t: TestContext, enableCae: boolean) {
  sandbox.entra.journal.clear();
  const service = await startService(t, { sandbox, environment: { ENABLE_CAE: String(enableCae) } });
  const actor = await createActor(service, TENANT_ID);
  return { service, actor };
}

function requireChallenge(header: string | null): void {
  const [, clientId, claims = ''] = HEADER.exec(header ?? '') ?? assert.fail(`no challenge: ${header}`);
  assert.equal(clientId, CLIENT_ID);
  assert.deepEqual(JSON.parse(Buffer.from(claims, 'base64').toString()), CLAIMS);
}

test("without ENABLE_CAE Graph's challenge goes to the caller, and nothing is tried again", async (t) => {
  const { service, actor } = await start(t, false);
  service.graph.access.challenge(actor.user.objectId, CLAIMS);
  const answer = await actor.send();
  assert.deepEqual([answer.status, readCode(answer)], [401, 'claims_challenge']);
  requireChallenge(answer.headers.get('www-authenticate'));
  const { result, upstream } = await readOutcome(service, answer.clientRequestId);
  assert.deepEqual([result, upstream.attempts, upstream.status], ['failed', 1, 401]);
  assert.equal(service.entra.journal.exchanges.length, 1);
  assert.equal(service.entra.journal.exchanges[0]?.claims, undefined);
});

test('with ENABLE_CAE one exchange with those claims satisfies it, and is kept', async (t) => {
  const { service, actor } = await start(t, true);
  assert.equal((await actor.send()).status, 204);
  service.graph.access.challenge(actor.user.objectId, CLAIMS);
  const answer = await actor.send();
  assert.equal(answer.status, 204);
  assert.equal((await readOutcome(service, answer.clientRequestId)).upstream.attempts, 2);
  assert.equal(actor.commits(), 2);
  const asked = service.entra.journal.exchanges.map(({ claims }) => JSON.parse(claims ?? '{}'));
  const capability = { xms_cc: { values: ['cp1'] } };
  assert.deepEqual(asked, [
    { access_token: capability },
    { access_token: { ...CLAIMS.access_token, ...capability } },
  ]);
  // The next request needs neither an exchange nor a challenge.
  const next = await actor.send();
  assert.equal((await readOutcome(service, next.clientRequestId)).upstream.attempts, 1);
  assert.equal(service.entra.journal.exchanges.length, 2);
});

test('with ENABLE_CAE a second challenge is handed on, and so is one of Entra', async (t) => {
  const { service, actor } = await start(t, true);
  const unsatisfiable = Buffer.from(JSON.stringify(CLAIMS)).toString('base64');
  actor.faults([
    {
      kind: 'answer',
      status: 401,
      times: 'always',
      headers: { 'www-authenticate': `Bearer error="insufficient_claims", claims="${unsatisfiable}"` },
    },
  ]);
  const answer = await actor.send();
  assert.deepEqual([answer.status, readCode(answer)], [401, 'claims_challenge']);
  requireChallenge(answer.headers.get('www-authenticate'));
  assert.equal((await readOutcome(service, answer.clientRequestId)).upstream.attempts, 2);
  assert.equal(service.entra.journal.exchanges.length, 2);

  service.entra.refuse(actor.user.objectId, 'interaction_required');
  assert.equal(readCode(await actor.send()), 'claims_challenge');
});

for (const header of [
  'Bearer error="insufficient_claims"',
  'Bearer error="insufficient_claims", claims="e30', // cut
  `Bearer error="insufficient_claims", claims="${Buffer.from('["no object"]').toString('base64')}"`,
  `Bearer error="insufficient_claims", claims="${Buffer.from('{"a":').toString('base64')}"`,
]) {
  test(`a challenge without usable claims is handed on without: ${header}`, async (t) => {
    const { service, actor } = await start(t, true);
    actor.faults([{ kind: 'answer', status: 401, times: 'always', headers: { 'www-authenticate': header } }]);
    const answer = await actor.send();
    assert.equal(readCode(answer), 'claims_challenge');
    assert.match(answer.headers.get('www-authenticate') ?? '', /error="insufficient_claims"$/);
    assert.equal(service.entra.journal.exchanges.length, 1);
  });
}

test("a revoked session: all of the user's tokens are dropped, one exchange anew, nothing is lost", async (t) => {
  const { service, actor } = await start(t, false);
  assert.equal((await actor.send()).status, 204);
  service.entra.graphTokens.revokeUser(actor.user.objectId);
  const answer = await actor.send();
  assert.equal(answer.status, 204);
  assert.equal((await readOutcome(service, answer.clientRequestId)).upstream.attempts, 2);
  assert.equal(service.entra.journal.exchanges.length, 2);
  assert.equal(actor.commits(), 2);
});
