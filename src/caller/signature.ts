import { verify, type KeyObject } from 'node:crypto';
import type { UnverifiedToken } from './token-shape.ts';

/** RS256 (RFC 7518 section 3.3): RSASSA-PKCS1-v1_5 with SHA-256. */
export function isSignedBy(key: KeyObject, { signingInput, signature }: UnverifiedToken): boolean {
  return verify('RSA-SHA256', Buffer.from(signingInput), key, signature);
}
