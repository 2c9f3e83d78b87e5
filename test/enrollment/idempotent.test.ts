import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IdempotencyClaim } from '../../src/enrollment/idempotency-store.ts';
import { createIdempotent } from '../../src/enrollment/idempotent.ts';
import type { OperationRequest } from '../../src/enrollment/enrollment.ts';
import { toFingerprint } from '../../src/enrollment/idempotency-record.ts';
import { toIntent } from '../../src/enrollment/intent.ts';
import { parseProfileId } from '../../src/graph/profile.ts';
import { toCaller } from '../exchange/support/caller.ts';

const REQUEST: OperationRequest = {
  caller: toCaller(),
  profile: {
    set: 'androidDeviceOwnerEnrollmentProfiles',
    id: parseProfileId('d0d0d0d0-0000-4000-8000-00000000d0a1'),
  },
  source: { address: '::1' },
  requestId: 'request',
  clientRequestId: 'client-request',
  deadline: { signal: new AbortController().signal, remainingMs: () => 1000, clear: () => {} },
  idempotencyKey: 'key',
};

test('409 names a time whoever is at it: an open record of an earlier process that another request has just taken', async () => {
  const event = toIntent(REQUEST, 'enrollmentToken.create', { tokenValidityInSeconds: 60 });
  const UNDER_WAY: IdempotencyClaim = { kind: 'under_way', fingerprint: toFingerprint(event) };
  for (const claims of [[UNDER_WAY], [{ kind: 'first' }, UNDER_WAY]] satisfies IdempotencyClaim[][]) {
    const waiting: IdempotencyClaim[] = [...claims];
    const idempotent = createIdempotent({
      store: {
        claim: async () => waiting.shift() ?? assert.fail('claimed too often'),
        keep: async () => {},
        release: async () => {},
      },
      append: () => assert.fail('nothing is done'),
      findPast: () => ({ intent: { ...event, id: 'intent', time: '2026-03-01T12:00:00.000Z' } }),
      requestDeadlineMs: 1000,
    });
    await assert.rejects(
      idempotent(REQUEST, event, () => assert.fail('nothing is done')),
      { code: 'request_in_progress', options: { retryAfterSeconds: 2 } },
    );
  }
});
