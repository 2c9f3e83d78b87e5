import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { toGraphError, toIntuneError } from '../../sandbox/graph/error-body.ts';
import { parseGraphAnswer } from '../../src/graph/graph-answer.ts';
import { toGraphRefusal, toGraphUnavailable } from '../../src/graph/graph-problem.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const ID = randomUUID();
const CANARY = 'CANARY81c2';

const parse = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  parseGraphAnswer(
    { status, headers, body: typeof body === 'string' ? body : (JSON.stringify(body) ?? '') },
    NOW,
  );

test('what is taken: status, request-id, date; of a success the JSON', () => {
  const headers = { 'request-id': ID, date: 'Sun, 01 Mar 2026 11:59:58 GMT', 'retry-after': '7' };
  assert.deepEqual(parse(200, { a: 1 }, headers), {
    status: 200,
    requestId: ID,
    date: NOW - 2000,
    json: { a: 1 },
  });
});

test('a request-id that is none, a date that is none', () => {
  for (const value of ['', 'x', `${ID}\n`, `${ID}, ${ID}`, '<script>']) {
    assert.deepEqual(parse(204, '', { 'request-id': value, date: value }), { status: 204 });
  }
});

for (const [name, body, code, retryAfter] of [
  ["Graph's envelope", toGraphError(429, 'x', ID), 'TooManyRequests', undefined],
  ["Intune's JSON", toIntuneError(503, ID, { retryAfter: 13 }), 'ServiceUnavailable', 13],
  [
    "Intune's JSON, doubly nested",
    toIntuneError(503, ID, { nested: true, retryAfter: 17 }),
    'ServiceUnavailable',
    17,
  ],
  ['a time out of bounds', toIntuneError(503, ID, { retryAfter: 1e9 }), 'ServiceUnavailable', 3600],
  ['a broken time', { error: { code: 'x', message: '{"RetryAfter":12.5}' } }, 'x', 13],
  ['a time as text', { error: { code: 'x', message: '{"RetryAfter":"9"}' } }, 'x', 9],
  ['a time that is none', { error: { code: 'x', message: '{"RetryAfter":"soon"}' } }, 'x', undefined],
  ['nothing of the kind', { error: 'text' }, undefined, undefined],
  ['null', { error: null }, undefined, undefined],
  ['a code with prose', { error: { code: 'a b "c"' } }, undefined, undefined],
  ['a message that is no text', { error: { code: 'x', message: { RetryAfter: 5 } } }, 'x', undefined],
  ['HTML', '<html>', undefined, undefined],
  ['nothing', '', undefined, undefined],
] as const) {
  test(`an error with ${name}`, () => {
    const answer = parse(503, body);
    assert.equal(answer.errorCode, code);
    assert.equal(answer.retryAfterSeconds, retryAfter);
  });
}

test('nesting without end is not followed', () => {
  let message = '{"RetryAfter":5}';
  for (let depth = 0; depth < 6; depth += 1) message = JSON.stringify({ RetryAfter: null, Message: message });
  assert.equal(parse(503, { error: { message } }).retryAfterSeconds, undefined);
});

test('the header goes before the body', () => {
  const body = toIntuneError(429, ID, { retryAfter: 13 });
  assert.equal(parse(429, body, { 'retry-after': '3' }).retryAfterSeconds, 3);
  assert.equal(parse(429, body, { 'retry-after': 'soon' }).retryAfterSeconds, 13);
});

test("Intune's inner WWW-Authenticate is no challenge, the header of a 401 alone is", () => {
  const claims = Buffer.from('{"a":1}').toString('base64');
  const header = { 'www-authenticate': `Bearer error="insufficient_claims", claims="${claims}"` };
  assert.deepEqual(parse(401, toIntuneError(401, ID), header).challenge, { claims: '{"a":1}' });
  assert.equal(parse(401, toIntuneError(401, ID)).challenge, undefined);
  assert.equal(parse(403, '', header).challenge, undefined);
  assert.deepEqual(parse(401, '', { 'www-authenticate': 'Bearer error="insufficient_claims"' }).challenge, {
    claims: undefined,
  });
});

test('whatever the body says, nothing of it is in a problem or its cause', () => {
  const body = toIntuneError(403, ID, { message: CANARY, nested: true, canary: CANARY });
  for (const status of [400, 403, 404, 409, 412, 423, 429, 503]) {
    const answer = parse(status, body, { 'x-canary': CANARY, 'request-id': ID });
    const problem = toGraphRefusal(answer) ?? toGraphUnavailable(answer);
    const shown = inspect(problem, { depth: Infinity, showHidden: true });
    assert.ok(!shown.includes(CANARY));
    assert.match(shown, new RegExp(ID));
  }
});

test('any body is read without an exception', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map((message) => JSON.stringify({ error: { message } })),
      ),
      (body) => {
        const { status, retryAfterSeconds = 0 } = parse(500, body);
        assert.equal(status, 500);
        assert.ok(retryAfterSeconds >= 0 && retryAfterSeconds <= 3600);
      },
    ),
    { numRuns: 2000 },
  );
});
