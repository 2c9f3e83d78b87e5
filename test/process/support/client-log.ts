import { randomUUID } from 'node:crypto';
import { createDeviceOwnerProfile } from '../../../sandbox/graph/profile.ts';
import type { Graph } from '../../../sandbox/graph.ts';
import { sendRaw, type RawAnswer } from './send-raw.ts';

const SET = 'androidDeviceOwnerEnrollmentProfiles';

/** What one client asked for, and as much of the answer as it saw; nothing of it if the service died. */
export type Attempt = Readonly<{
  operation: 'createToken' | 'revokeToken';
  clientRequestId: string;
  key?: string;
  answer: () => RawAnswer | undefined;
}>;

export type ClientLog = Readonly<{
  attempts: readonly Attempt[];
  createProfile: () => string;
  /** One request; it is in the log before it is sent. */
  ask: (request: Ask) => Promise<RawAnswer>;
}>;

export type Ask = Readonly<{
  origin: string;
  /** The caller's token. */
  token: string;
  operation: Attempt['operation'];
  profile: string;
  key?: string;
}>;

export function createClientLog(graph: Graph): ClientLog {
  const attempts: Attempt[] = [];
  return {
    attempts,
    createProfile() {
      const id = randomUUID();
      const seed = { now: Date.now(), canary: '' };
      graph.store.put(SET, createDeviceOwnerProfile(id, 'Killed', 'corporateOwnedDedicatedDevice', seed));
      return id;
    },
    async ask({ origin, token, operation, profile, key }) {
      const clientRequestId = randomUUID();
      let answer: RawAnswer | undefined;
      attempts.push({
        operation,
        clientRequestId,
        ...(key !== undefined && { key }),
        answer: () => answer,
      });
      const isCreate = operation === 'createToken';
      answer = await sendRaw(origin, {
        path: `/beta/deviceManagement/${SET}/${profile}/${operation}`,
        headers: {
          authorization: `Bearer ${token}`,
          'client-request-id': clientRequestId,
          ...(isCreate && { 'content-type': 'application/json' }),
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        body: isCreate ? '{"tokenValidityInSeconds":3600}' : '',
      });
      return answer;
    },
  };
}
