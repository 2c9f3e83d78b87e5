import type { AuditEvent } from './record.ts';

export type Shape = 'text' | 'number' | 'texts' | 'scalars' | { readonly [name: string]: Shape };

const actor: Shape = {
  tenantId: 'text',
  objectId: 'text',
  userPrincipalName: 'text',
  clientId: 'text',
  tokenId: 'text',
  scopes: 'texts',
};
const source: Shape = { address: 'text', userAgent: 'text' };
const process: Shape = { kind: 'text', version: 'text', node: 'text', configHash: 'text' };
const closing: Shape = { kind: 'text', intent: 'text', result: 'text' };

/** The fields of the contract (section 7), kind by kind. */
export const SHAPES: Readonly<Record<AuditEvent['kind'], Shape>> = {
  start: process,
  stop: process,
  intent: {
    kind: 'text',
    action: 'text',
    actor,
    source,
    resource: { set: 'text', id: 'text' },
    parameters: 'scalars',
    requestId: 'text',
    clientRequestId: 'text',
    idempotencyKeyHash: 'text',
  },
  outcome: {
    ...closing,
    status: 'number',
    code: 'text',
    upstream: { requestId: 'text', status: 'number', attempts: 'number', durationMs: 'number' },
    tokenFingerprint: 'text',
  },
  refusal: {
    kind: 'text',
    action: 'text',
    actor,
    source,
    status: 'number',
    code: 'text',
    count: 'number',
  },
  recovered: closing,
  settled: closing,
};
