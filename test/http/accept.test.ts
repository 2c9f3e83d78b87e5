import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptsJson, prefersProblemDetails } from '../../src/http/accept.ts';
import { startService } from '../support/service.ts';

test('problem details only where they are wanted more; a tie is Graph’s envelope', () => {
  for (const [accept, expected] of [
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['application/*', false],
    ['application/json', false],
    ['application/problem+json', true],
    ['Application/Problem+JSON', true],
    ['application/json, application/problem+json', false],
    ['application/problem+json, application/json', false],
    ['application/problem+json, */*', false],
    ['application/problem+json, */*;q=0.9', true],
    ['application/problem+json, application/json;q=0.9', true],
    ['application/problem+json;q=0.9, application/json', false],
    ['application/problem+json;q=0.2, application/json;q=0.1', true],
    ['application/*;q=0.5, application/json;q=0.1', true],
    ['application/problem+json ; q=0', false],
    ['text/html', false],
    ['application/problem+json;q=x, application/json;q=0.5', true],
  ] as const) {
    assert.equal(prefersProblemDetails(accept), expected, accept);
  }
});

test('what OData clients and browsers send admits JSON', () => {
  for (const accept of [
    'application/json;odata.metadata=minimal;odata.streaming=true',
    'application/json;charset=utf-8',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'application/problem+json',
    'application/*;q=0.001',
  ]) {
    assert.equal(acceptsJson(accept), true, accept);
  }
  for (const accept of [
    'text/html',
    'application/xml',
    'application/json;q=0',
    '*/*;q=0',
    'image/png',
    'x',
  ]) {
    assert.equal(acceptsJson(accept), false, accept);
  }
});

test('406 comes after authentication, and before anything is done', async (t) => {
  const service = await startService(t);
  const ask = (headers: Readonly<Record<string, string>>) =>
    fetch(service.url + service.createPath(), {
      method: 'POST',
      headers: { accept: 'text/html', 'content-type': 'application/json', ...headers },
      body: '{"tokenValidityInSeconds":60}',
    });
  assert.equal((await ask({})).status, 401);
  const refused = await ask(await service.bearer());
  assert.equal(refused.status, 406);
  assert.equal(refused.headers.get('content-type'), 'application/json', 'an error is told all the same');
  assert.equal(service.graph.journal.requests.length, 0);
});
