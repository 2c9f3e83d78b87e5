import type { OperationRequest } from '../../../src/enrollment/enrollment.ts';
import { toIntent } from '../../../src/enrollment/intent.ts';
import { parseProfileId } from '../../../src/graph/profile.ts';
import { toCaller } from '../../exchange/support/caller.ts';

/** A creation with a key, as the operations get it. */
export const REQUEST: OperationRequest = {
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

export const EVENT = toIntent(REQUEST, 'enrollmentToken.create', { tokenValidityInSeconds: 60 });
