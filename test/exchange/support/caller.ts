import { hash } from 'node:crypto';
import { CALLING_CLIENT_ID, OPERATOR, TENANT_ID } from '../../../sandbox/directory.ts';
import type { Caller } from '../../../src/caller/caller.ts';
import { Secret } from '../../../src/secret.ts';

export const NOW = Date.parse('2026-03-01T12:00:00Z');
export const MINUTE = 60_000;

/** A caller whose token is good for an hour. */
export const toCaller = ({
  assertion = 'header.payload.signature',
  ...more
}: Partial<Omit<Caller, 'assertion' | 'assertionHash'>> & Readonly<{ assertion?: string }> = {}): Caller => ({
  tenantId: TENANT_ID,
  objectId: OPERATOR.objectId,
  clientId: CALLING_CLIENT_ID,
  scopes: ['EnrollmentToken.Create'],
  expiresAt: NOW + 60 * MINUTE,
  ...more,
  assertion: new Secret(assertion),
  assertionHash: hash('sha256', assertion, 'base64'),
});
