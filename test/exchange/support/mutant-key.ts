// toExchangeKey as somebody might break it: without the assertion, or with its beginning alone.
import type { Caller } from '../../../src/caller/caller.ts';

const KEYS: Readonly<Record<string, (caller: Caller) => string>> = {
  user: ({ tenantId, objectId }) => `${tenantId}/${objectId}`,
  prefix: ({ assertion }) => assertion.reveal().slice(0, 60),
  tenant: ({ tenantId }) => tenantId,
};

export const toExchangeKey = (caller: Caller): string =>
  KEYS[process.env['MUTANT'] ?? '']?.(caller) ?? 'one for all';
