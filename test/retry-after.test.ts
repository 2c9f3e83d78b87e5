import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRetryAfter } from '../src/retry-after.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');

for (const [value, seconds] of [
  [undefined, undefined],
  ['', undefined],
  ['soon', undefined],
  ['-5', undefined],
  ['1.5', undefined],
  ['1e9', undefined],
  ['0x10', undefined],
  ['2026', 2026],
  ['0', 0],
  [' 17 ', 17],
  ['3601', 3600],
  ['99999999999999999999', 3600],
  ['Sun, 01 Mar 2026 12:00:30 GMT', 30],
  ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
  ['Sun, 01 Mar 2099 12:00:00 GMT', 3600],
  ['Sun, 99 Mar 2026 12:00:00 GMT', undefined],
] as const) {
  test(`Retry-After ${JSON.stringify(value)} is ${seconds} seconds`, () => {
    assert.equal(parseRetryAfter(value, NOW), seconds);
  });
}
