import { createHmac } from 'node:crypto';
import type { Secret } from '../secret.ts';
import { MANY_ADDRESSES } from './refusal-tallies.ts';
import type { AppendAudit, AuditActor, AuditEvent, AuditSource } from './record.ts';

/** HMAC-SHA-256, lower-case hex, of a text under `AUDIT_HMAC_KEY`. */
export type Fingerprint = (text: string) => string;

const MIN_KEY_BYTES = 32;
/** What stands for many addresses, or for none: nobody's, and under a pseudonym it would say nothing. */
const NO_ADDRESSES: ReadonlySet<string> = new Set([MANY_ADDRESSES, 'unknown']);

/**
 * "Who made this leaked QR code?" is answered without storing the token: equal fingerprints, equal tokens.
 *
 * @param key base64 (or base64url) of at least 32 bytes
 */
export function createFingerprint(key: Secret): Fingerprint {
  const bytes = Buffer.from(key.reveal(), 'base64');
  if (bytes.byteLength < MIN_KEY_BYTES) {
    throw new RangeError(`AUDIT_HMAC_KEY must be base64 of at least ${MIN_KEY_BYTES} bytes`);
  }
  return (text) => createHmac('sha256', bytes).update(text).digest('hex');
}

/** Of a user principal name, whose letters' case means nothing to Entra and depends on how its user signed in. */
export function toNameFingerprint(name: string, fingerprint: Fingerprint): string {
  return fingerprint(name.toLowerCase());
}

/** `AUDIT_PII=pseudonymous`: name, address and user agent are written as fingerprints, which can be searched for but not read. */
export function withPseudonyms(append: AppendAudit, fingerprint: Fingerprint): AppendAudit {
  return (event) => append({ ...event, ...toPseudonymous(event, fingerprint) });
}

function toPseudonymous(
  event: AuditEvent,
  fingerprint: Fingerprint,
): Readonly<{ actor?: AuditActor; source?: AuditSource }> {
  if (event.kind !== 'intent' && event.kind !== 'refusal') return {};
  const { actor, source } = event;
  return {
    ...(actor && {
      actor: {
        ...actor,
        ...(actor.userPrincipalName !== undefined && {
          userPrincipalName: toNameFingerprint(actor.userPrincipalName, fingerprint),
        }),
      },
    }),
    source: {
      address: NO_ADDRESSES.has(source.address) ? source.address : fingerprint(source.address),
      ...(source.userAgent !== undefined && { userAgent: fingerprint(source.userAgent) }),
    },
  };
}
