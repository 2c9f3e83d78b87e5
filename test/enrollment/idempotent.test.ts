import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IdempotencyClaim } from '../../src/enrollment/idempotency-store.ts';
import { createIdempotent } from '../../src/enrollment/idempotent.ts';
import { toFingerprint } from '../../src/enrollment/idempotency-record.ts';
import { EVENT, REQUEST } from './support/keyed-request.ts';

test('409 names a time whoever is at it: an open record of an earlier process that another request has just taken', async () => {
  const UNDER_WAY: IdempotencyClaim = { kind: 'under_way', fingerprint: toFingerprint(EVENT) };
  for (const claims of [[UNDER_WAY], [{ kind: 'first' }, UNDER_WAY]] satisfies IdempotencyClaim[][]) {
    const waiting: IdempotencyClaim[] = [...claims];
    const idempotent = createIdempotent({
      store: {
        claim: async () => waiting.shift() ?? assert.fail('claimed too often'),
        keep: async () => {},
        release: async () => {},
      },
      append: () => assert.fail('nothing is done'),
      findPast: () => ({ intent: { ...EVENT, id: 'intent', time: '2026-03-01T12:00:00.000Z' } }),
      requestDeadlineMs: 1000,
    });
    await assert.rejects(
      idempotent(REQUEST, EVENT, () => assert.fail('nothing is done')),
      { code: 'request_in_progress', options: { retryAfterSeconds: 2 } },
    );
  }
});
