// What fails before a request went to Graph: nothing was done, that is certain, and that is on record.
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test, type TestContext } from 'node:test';
import { TENANT_ID } from '../../sandbox/directory.ts';
import type { RefusalName } from '../../sandbox/entra/refusal.ts';
import type { FaultInput } from '../../sandbox/fault/fault.ts';
import { startService, type Service } from '../support/service.ts';
import { startTlsScript, toAnswer } from '../support/tls-script.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createActor, readCode, readOutcome, type Operation } from './support/fault-case.ts';

const OPERATIONS: readonly Operation[] = ['createToken', 'revokeToken'];

type Expected = readonly [status: number, code: string, attempts: number];

/** Sends it, and holds answer and record to what was expected, and Graph to have seen nothing. */
async function requireNothingDone(
  service: Service,
  operation: Operation,
  [status, code, attempts]: Expected,
): Promise<void> {
  const actor = await createActor(service, TENANT_ID, { operation });
  const answer = await actor.send({ 'idempotency-key': 'a-key' });
  assert.deepEqual([answer.status, readCode(answer)], [status, code]);
  if (status === 503) assert.ok(Number(answer.headers.get('retry-after')) > 0);
  const outcome = await readOutcome(service, answer.clientRequestId);
  assert.equal(outcome.result, 'failed');
  assert.deepEqual([outcome.status, outcome.code], [status, code]);
  assert.equal(outcome.upstream.attempts, attempts);
  assert.equal(actor.commits(), 0);
}

/** Origins of Graphs that cannot be reached. */
const UNREACHABLE: readonly (readonly [string, (t: TestContext) => Promise<string>])[] = [
  // A port that no other test can be given.
  ['nobody listens', async () => 'https://127.0.0.1:1'],
  ['its name does not resolve', async () => 'https://graph.invalid'],
  [
    'its certificate is of an unknown authority',
    async (t) => (await startTlsScript(t, (socket) => socket.write(toAnswer('204 No Content', '')))).url,
  ],
];

for (const [name, toUrl] of UNREACHABLE) {
  test(`Graph cannot be reached: ${name}. It is tried four times, and then 503`, async (t) => {
    const url = await toUrl(t);
    const service = await startService(t, { environment: { GRAPH_BASE_URL: url } });
    service.entra.addResource(url);
    for (const operation of OPERATIONS)
      await requireNothingDone(service, operation, [503, 'graph_unavailable', 4]);
  });
}

const REFUSED: readonly (readonly [RefusalName, number, string])[] = [
  ['interaction_required', 401, 'claims_challenge'],
  ['consent_required', 403, 'consent_required'],
  ['not_assigned', 403, 'policy_denied'],
  ['assertion_refused', 401, 'invalid_token'],
  ['invalid_client', 500, 'credential_rejected'],
  ['throttled', 503, 'entra_unavailable'],
];

const FAULTS: readonly (readonly [string, FaultInput, number, string])[] = [
  ['hangs', { kind: 'hang' }, 504, 'upstream_timeout'],
  ['resets', { kind: 'reset' }, 503, 'entra_unavailable'],
  ['answers HTML', { kind: 'answer', status: 500, body: 'html' }, 503, 'entra_unavailable'],
  ['drips', { kind: 'drip', everyMs: 20 }, 504, 'upstream_timeout'],
  ['is cut within the head', { kind: 'cut', at: 'head' }, 503, 'entra_unavailable'],
  ['is cut within the body', { kind: 'cut', at: 'body' }, 503, 'entra_unavailable'],
  ['breaks its JSON', { kind: 'answer', status: 200, body: 'broken' }, 503, 'entra_unavailable'],
  ['answers 200 with HTML', { kind: 'answer', status: 200, body: 'html' }, 503, 'entra_unavailable'],
  ['answers 200 with nothing', { kind: 'answer', status: 200, body: 'empty' }, 503, 'entra_unavailable'],
  ['answers without end', { kind: 'answer', status: 200, body: 'huge' }, 503, 'entra_unavailable'],
  ['answers with a bomb', { kind: 'answer', status: 200, body: 'bomb' }, 503, 'entra_unavailable'],
  ['answers 204', { kind: 'answer', status: 204, body: 'empty' }, 503, 'entra_unavailable'],
  [
    'redirects',
    { kind: 'answer', status: 302, headers: { location: 'https://[::1]/' } },
    503,
    'entra_unavailable',
  ],
  ['switches protocols', { kind: 'informational', status: 101 }, 503, 'entra_unavailable'],
  ['refuses in HTML', { kind: 'answer', status: 400, body: 'html' }, 503, 'entra_unavailable'],
  ['refuses with nothing', { kind: 'answer', status: 400, body: 'empty' }, 503, 'entra_unavailable'],
];

test('Entra refuses or fails: Graph is not asked', async (t) => {
  let isSilent = false;
  const service = await startService(t, {
    wrap: {
      append: (append) => append,
      // Little time where it never answers; a busy machine may need more for an answer.
      send: (send) => (request) =>
        send(isSilent && request.url.endsWith('/token') ? { ...request, timeoutMs: 400 } : request),
    },
  });
  for (const operation of OPERATIONS) {
    for (const [refusal, status, code] of REFUSED) {
      service.entra.refuse('*', refusal);
      await requireNothingDone(service, operation, [status, code, 0]);
    }
    service.entra.refuse('*', undefined);
    for (const [name, fault, status, code] of FAULTS) {
      service.entra.faults.add({ operation: 'token', ...fault });
      isSilent = fault.kind === 'hang' || fault.kind === 'drip';
      await t.test(`${operation}: it ${name}`, () =>
        requireNothingDone(service, operation, [status, code, 0]),
      );
    }
  }
  assert.equal(service.graph.journal.requests.length, 0);
});

test('the deadline is shorter than a call may take: Entra hangs, 504 in time', async (t) => {
  const service = await startService(t, {
    environment: { UPSTREAM_TIMEOUT_MS: '20000', REQUEST_DEADLINE_MS: '400' },
  });
  service.entra.faults.add({ operation: 'token', kind: 'hang' });
  const begin = Date.now();
  await requireNothingDone(service, 'createToken', [504, 'upstream_timeout', 0]);
  assert.ok(Date.now() - begin < 15_000, 'the call alone may take 20 s');
});

test('the deadline is shorter than a call may take: Graph hangs, there is time left to look', async (t) => {
  const service = await startService(t, {
    environment: { UPSTREAM_TIMEOUT_MS: '20000', REQUEST_DEADLINE_MS: '6000' },
  });
  const [seen, lost] = [await createActor(service, TENANT_ID), await createActor(service, TENANT_ID)];
  seen.faults([{ kind: 'hang', when: 'after' }]);
  lost.faults([{ kind: 'hang' }, { operation: 'get', kind: 'hang', times: 'always' }]);
  const [first, second] = await Promise.all([seen.send(), lost.send()]);
  assert.equal(first.status, 204);
  assert.equal(readCode(second), 'outcome_unknown');
  const { upstream } = await readOutcome(service, second.clientRequestId);
  // The write ends after three fifths of the time, the look when all of it is over.
  assert.ok(upstream.durationMs >= 4000 && upstream.durationMs < 15_000, String(upstream.durationMs));
});

test('the caller leaves in the middle: the outcome is recorded all the same', async (t) => {
  const service = await startService(t);
  const actor = await createActor(service, TENANT_ID);
  actor.faults([{ kind: 'delay', ms: 300, when: 'after' }]);
  const clientRequestId = '11111111-2222-4333-8444-555555555555';
  const leaving = httpRequest(service.url + actor.path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${actor.token}`,
      'content-type': 'application/json',
      'client-request-id': clientRequestId,
    },
  });
  leaving.on('error', () => undefined);
  leaving.end('{"tokenValidityInSeconds":60}');
  await waitUntil(() => actor.commits() === 1);
  leaving.destroy();
  const outcome = await readOutcome(service, clientRequestId);
  assert.deepEqual([outcome.result, outcome.status], ['success', 204]);
});
