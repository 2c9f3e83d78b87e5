import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBearerToken } from '../../src/caller/bearer.ts';
import { ProblemError } from '../../src/errors.ts';

const refusedAs = (code: string) => (error: unknown) => error instanceof ProblemError && error.code === code;

test('reads the token of the one Authorization header, whatever the case of name and scheme', () => {
  assert.equal(readBearerToken(['Host', 'x', 'Authorization', 'Bearer a.b.c']), 'a.b.c');
  assert.equal(readBearerToken(['aUTHORIZATION', 'bEARER   a.b.c', 'Accept', '*/*']), 'a.b.c');
});

const missing = {
  'no headers': [],
  'no such header': ['Host', 'x'],
  'an empty header': ['Authorization', ''],
  'another scheme': ['Authorization', 'Basic YTpi'],
  'a token without a scheme': ['Authorization', 'a.b.c'],
  'a scheme that begins likewise': ['Authorization', 'Bearerx a.b.c'],
  'a tab instead of a space': ['Authorization', 'Bearer\ta.b.c'],
  'the name as a value of another header': [
    'X-Forwarded-Authorization',
    'Authorization',
    'X',
    'Bearer a.b.c',
  ],
  'a header of a similar name': ['X-Authorization', 'Bearer a.b.c', 'Proxy-Authorization', 'Bearer a.b.c'],
  'a cookie': ['Cookie', 'Authorization=Bearer a.b.c'],
};
for (const [name, rawHeaders] of Object.entries(missing)) {
  test(`missing_token: ${name}`, () => {
    assert.throws(() => readBearerToken(rawHeaders), refusedAs('missing_token'));
  });
}

const invalid = {
  'two headers': ['Authorization', 'Bearer a.b.c', 'authorization', 'Bearer d.e.f'],
  'the same header twice': ['Authorization', 'Bearer a.b.c', 'Authorization', 'Bearer a.b.c'],
  'two headers, the first of another scheme': [
    'Authorization',
    'Basic YTpi',
    'Authorization',
    'Bearer a.b.c',
  ],
  'two headers, the second empty': ['Authorization', 'Bearer a.b.c', 'Authorization', ''],
  'no token': ['Authorization', 'Bearer'],
  'spaces for a token': ['Authorization', 'Bearer    '],
  'a token beyond 16 KiB': ['Authorization', `Bearer ${'a'.repeat(16 * 1024 + 1)}`],
};
for (const [name, rawHeaders] of Object.entries(invalid)) {
  test(`invalid_token: ${name}`, () => {
    assert.throws(() => readBearerToken(rawHeaders), refusedAs('invalid_token'));
  });
}
