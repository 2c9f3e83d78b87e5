import { hash } from 'node:crypto';
import type { Caller } from '../caller/caller.ts';

/**
 * Names one exchange: the SHA-256 of all that changes its answer, the whole assertion (by its own) first of all. Two callers, or two
 * tokens of one caller, never share it. `claims` is minified JSON and the tenant a GUID, so no line break of theirs blurs it.
 */
export const toExchangeKey = (
  { tenantId, assertionHash }: Caller,
  { scope, claims = '' }: Readonly<{ scope: string; claims?: string | undefined }>,
): string => hash('sha256', `${tenantId}\n${scope}\n${claims}\n${assertionHash}`, 'base64');
