import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { CLIENT_ID, OPERATOR, TENANT_ID } from '../../sandbox/directory.ts';
import type { Refusal, RefusalName } from '../../sandbox/entra/refusal.ts';
import type { FaultInput } from '../../sandbox/fault/fault.ts';
import { ProblemError, type ProblemCode } from '../../src/errors.ts';
import { Secret } from '../../src/secret.ts';
import { waitUntil } from '../support/wait-until.ts';
import { GRAPH, startExchange } from './support/exchange.ts';

const CHALLENGE =
  /^Bearer realm="", authorization_uri="(https:\/\/[^"]+)", client_id="([^"]+)", error="insufficient_claims"(?:, claims="([A-Za-z0-9+/=]+)")?$/;

// Keys are slow to make: all tests that need no other set-up share one Entra.
const shared = await startExchange({ after });
/** Waits a second for an answer, and not as long as a busy machine may take for any. */
const impatient = await startExchange({ after }, { timeoutMs: 1000 });
beforeEach(shared.reset);

async function requireProblem(exchanging: Promise<unknown>): Promise<ProblemError> {
  const error: unknown = await exchanging.then(
    () => assert.fail('it succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ProblemError, String(error));
  return error;
}

test('a token for this user, asked for at the tenant of the caller', async () => {
  const { entra, exchange, newCaller, results } = shared;
  const before = Date.now();
  const token = await exchange(await newCaller());
  const record = entra.graphTokens.read(token.value.reveal());
  assert.equal(record?.user, OPERATOR.objectId);
  assert.equal(record?.audience, GRAPH);
  assert.ok(token.expiresAt >= before + 4800_000 && token.expiresAt <= Date.now() + 4800_000);
  const [entry] = entra.journal.exchanges;
  assert.equal(entry?.tenantId, TENANT_ID);
  assert.equal(entry?.scope, `${GRAPH}/.default`);
  assert.equal(entry?.claims, undefined);
  assert.deepEqual(results, ['success']);
});

/** Facts 3, row by row. */
const REFUSED: readonly (readonly [RefusalName | Refusal, ProblemCode])[] = [
  ['interaction_required', 'claims_challenge'],
  ['interaction_required_without_claims', 'claims_challenge'],
  ['invalid_grant_with_claims', 'claims_challenge'],
  [{ error: 'invalid_grant', codes: [50076], message: '', suberror: 'basic_action' }, 'claims_challenge'],
  [
    { error: 'invalid_grant', codes: [65001], message: '', suberror: 'consent_required', claims: { a: 1 } },
    'claims_challenge',
  ],
  ['consent_required', 'consent_required'],
  [{ error: 'invalid_grant', codes: [65001], message: '' }, 'consent_required'],
  ['assertion_refused', 'invalid_token'],
  [{ error: 'invalid_grant', codes: [500133], message: '', suberror: 'token_expired' }, 'invalid_token'],
  [{ error: 'invalid_grant', codes: [], message: '' }, 'invalid_token'],
  ['not_assigned', 'policy_denied'],
  ['unknown_user', 'policy_denied'],
  ['guest_denied', 'policy_denied'],
  ['access_denied', 'policy_denied'],
  ['invalid_client', 'credential_rejected'],
  ['secret_expired', 'credential_rejected'],
  ['unauthorized_client', 'credential_rejected'],
  [{ error: 'invalid_scope', codes: [70011], message: '' }, 'credential_rejected'],
  ['temporarily_unavailable', 'entra_unavailable'],
  ['throttled', 'entra_unavailable'],
  ['server_error', 'entra_unavailable'],
  ['loop_detected', 'entra_unavailable'],
  [{ error: 'no name at all, but prose', codes: [], message: '' }, 'entra_unavailable'],
];

for (const [refusal, code] of REFUSED) {
  const name = typeof refusal === 'string' ? refusal : JSON.stringify(refusal);
  test(`Entra refuses with ${name}: ${code}, one call`, async () => {
    const { entra, exchange, newCaller, results } = shared;
    entra.refuse('*', refusal);
    const problem = await requireProblem(exchange(await newCaller()));
    assert.equal(problem.code, code);
    assert.equal(entra.journal.exchanges.length, 1);
    assert.deepEqual(results, [problem.status < 500 ? 'refused' : 'failed']);
    assert.doesNotMatch(problem.message, /AADSTS|Trace ID/);
    if (code === 'claims_challenge') assert.match(problem.options.challenge ?? '', CHALLENGE);
    if (code === 'invalid_token')
      assert.match(problem.options.challenge ?? '', /^Bearer error="invalid_token"/);
  });
}

test('Retry-After of a busy Entra is handed on', async () => {
  const { entra, exchange, newCaller } = shared;
  entra.refuse('*', 'throttled');
  assert.equal((await requireProblem(exchange(await newCaller()))).options.retryAfterSeconds, 11);
  entra.refuse('*', 'server_error');
  assert.equal((await requireProblem(exchange(await newCaller()))).options.retryAfterSeconds, 5);
});

test('a claims challenge is parsed and written anew: minified JSON in base64, nothing else of it', async () => {
  const { entra, exchange, newCaller } = shared;
  const claims = { access_token: { x: { essential: true, values: ['"\r\nSet-Cookie: a=b', 'é'] } } };
  entra.refuse('*', { error: 'interaction_required', codes: [50076], message: '', claims });
  const { challenge = '' } = (await requireProblem(exchange(await newCaller()))).options;
  const [, uri, clientId, encoded = ''] = CHALLENGE.exec(challenge) ?? [];
  assert.equal(uri, `${entra.url}/${TENANT_ID}/oauth2/v2.0/authorize`);
  assert.equal(clientId, CLIENT_ID);
  assert.equal(Buffer.from(encoded, 'base64').toString(), JSON.stringify(claims));
});

for (const claims of ['no JSON "\r\nx: y', '["an array"]', 'null', '"text"', '7']) {
  test(`security: claims that are no JSON object (${JSON.stringify(claims)}) reach no header`, async () => {
    const { entra, exchange, newCaller } = shared;
    const text = JSON.stringify({ error: 'invalid_grant', error_codes: [50076], claims });
    entra.faults.add({ operation: 'token', kind: 'answer', status: 400, body: { text } });
    const problem = await requireProblem(exchange(await newCaller()));
    assert.equal(problem.code, 'claims_challenge');
    assert.match(problem.options.challenge ?? '', CHALLENGE);
    assert.doesNotMatch(problem.options.challenge ?? '', /claims=/);
  });
}

const ENDLESS: readonly (readonly [string, FaultInput])[] = [
  ['hangs', { kind: 'hang' }],
  ['drips', { kind: 'drip', everyMs: 50 }],
];

for (const [name, fault] of ENDLESS) {
  test(`Entra ${name}: upstream_timeout`, async () => {
    const { entra, exchange, newCaller, results, reset } = impatient;
    // Makes the connection, for which a busy machine may need more than the second.
    await exchange(await newCaller()).catch(() => undefined);
    reset();
    entra.faults.add({ operation: 'token', ...fault });
    const problem = await requireProblem(exchange(await newCaller()));
    assert.equal(problem.code, 'upstream_timeout');
    assert.equal(entra.journal.counts.token, 1);
    assert.deepEqual(results, ['failed']);
  });
}

const BROKEN: readonly (readonly [string, FaultInput])[] = [
  ['resets', { kind: 'reset' }],
  ['resets after acting', { kind: 'reset', when: 'after' }],
  ['cuts its head', { kind: 'cut', at: 'head' }],
  ['cuts its body', { kind: 'cut', at: 'body' }],
  ['answers 101', { kind: 'informational', status: 101 }],
  ['redirects', { kind: 'answer', status: 302, headers: { location: '/' } }],
  ['answers 200 with HTML', { kind: 'answer', status: 200, body: 'html' }],
  ['answers 200 with nothing', { kind: 'answer', status: 200, body: 'empty' }],
  ['answers 200 with half of it', { kind: 'answer', status: 200, body: 'broken' }],
  ['answers 200 with too much', { kind: 'answer', status: 200, body: 'huge' }],
  ['answers 200 with a bomb', { kind: 'answer', status: 200, body: 'bomb' }],
  ['answers 500 with HTML', { kind: 'answer', status: 500, body: 'html' }],
  ['answers 404 with HTML', { kind: 'answer', status: 404, body: 'html' }],
  ['answers 400 with an array', { kind: 'answer', status: 400, body: 'array' }],
];

for (const [name, fault] of BROKEN) {
  test(`Entra ${name}: entra_unavailable`, async () => {
    const { entra, exchange, newCaller, results } = shared;
    entra.faults.add({ operation: 'token', ...fault });
    const problem = await requireProblem(exchange(await newCaller()));
    assert.equal(problem.code, 'entra_unavailable');
    assert.equal(entra.journal.counts.token, 1);
    assert.deepEqual(results, ['failed']);
  });
}

for (const body of [
  { token_type: 'Bearer', expires_in: 3600 },
  { token_type: 'Bearer', expires_in: 3600, access_token: '' },
  { token_type: 'Bearer', expires_in: 3600, access_token: 'two\r\nlines' },
  { token_type: 'Bearer', expires_in: 3600, access_token: ['x'] },
  { token_type: 'PoP', expires_in: 3600, access_token: 'x' },
  { token_type: 'Bearer', expires_in: -1, access_token: 'x' },
  { token_type: 'Bearer', access_token: 'x' },
]) {
  test(`a success that is none is not used: ${JSON.stringify(body)}`, async () => {
    const { entra, exchange, newCaller } = shared;
    const text = JSON.stringify(body);
    entra.faults.add({ operation: 'token', kind: 'answer', status: 200, body: { text } });
    assert.equal((await requireProblem(exchange(await newCaller()))).code, 'entra_unavailable');
  });
}

test('Entra is not who it says it is: nothing is sent', async (t) => {
  const { entra, exchange, newCaller } = await startExchange(t, { distrust: true });
  assert.equal((await requireProblem(exchange(await newCaller()))).code, 'entra_unavailable');
  assert.equal(entra.journal.counts.token, 0);
});

test('the deadline of the request ends the call: nothing went to Graph', async () => {
  const { entra, exchange, newCaller } = shared;
  entra.faults.add({ operation: 'token', kind: 'hang' });
  const deadline = new AbortController();
  const refused = requireProblem(exchange(await newCaller(), { deadline }));
  await waitUntil(() => entra.journal.counts.token === 1);
  deadline.abort();
  assert.equal((await refused).code, 'upstream_timeout');
});

test('the refused credential is in the log as an error, the refused assertion as a warning, prose in neither', async () => {
  const { entra, exchange, newCaller, logged } = shared;
  entra.refuse('*', 'invalid_client');
  await requireProblem(exchange(await newCaller()));
  assert.match(logged(), /"level":"error".*refuses the credential/);
  entra.refuse('*', 'assertion_refused');
  await requireProblem(exchange(await newCaller()));
  assert.match(logged(), /"level":"warn".*compare the app registration/);
  assert.match(logged(), /7000215/);
  assert.doesNotMatch(logged(), /Invalid client secret|AADSTS/);
});

for (const [enableCae, claims, expected] of [
  [false, undefined, undefined],
  [true, undefined, '{"access_token":{"xms_cc":{"values":["cp1"]}}}'],
  [false, '{"access_token":{"nbf":1}}', '{"access_token":{"nbf":1}}'],
  [true, '{"access_token":{"nbf":1}}', '{"access_token":{"nbf":1,"xms_cc":{"values":["cp1"]}}}'],
  [true, '{"id_token":{"a":1}}', '{"id_token":{"a":1},"access_token":{"xms_cc":{"values":["cp1"]}}}'],
  [true, '{"access_token":"odd"}', '{"access_token":{"xms_cc":{"values":["cp1"]}}}'],
] as const) {
  test(`claims with ENABLE_CAE=${enableCae} and a challenge ${claims}`, async (t) => {
    const { entra, exchange, newCaller } = await startExchange(t, { enableCae });
    const token = await exchange(await newCaller(), claims === undefined ? {} : { claims });
    assert.equal(entra.journal.exchanges[0]?.claims, expected);
    assert.equal(token.claims, claims);
  });
}

test('a wrong secret is not tried twice', async (t) => {
  const { entra, exchange, newCaller } = await startExchange(t, {
    source: { kind: 'secret', secret: new Secret('wrong') },
  });
  assert.equal((await requireProblem(exchange(await newCaller()))).code, 'credential_rejected');
  assert.equal(entra.journal.exchanges.length, 1);
});
