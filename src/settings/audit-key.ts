import { Secret } from '../secret.ts';
import type { Draft } from './draft.ts';
import { hmacKey } from './hmac-key-kind.ts';

const NAMES = ['AUDIT_HMAC_KEY', 'AUDIT_HMAC_KEY_FILE'] as const;

function readKey({ isSet, value, content, problems }: Draft): Secret | undefined {
  if (NAMES.every(isSet)) {
    problems.add(NAMES, 'at most one of these', 'both');
    return undefined;
  }
  const text = content('AUDIT_HMAC_KEY_FILE');
  if (text === undefined) return value('AUDIT_HMAC_KEY');
  if (hmacKey.read(text) !== undefined) return new Secret(text);
  problems.add('AUDIT_HMAC_KEY_FILE', `a file with ${hmacKey.expected}`, 'another content');
  return undefined;
}

/** The key of fingerprints and pseudonyms, in base64; a problem when something is switched on that needs one. */
export function readAuditKey(draft: Draft): Secret | undefined {
  const { value, problems } = draft;
  const key = readKey(draft);
  if (key !== undefined || NAMES.some(problems.has)) return key;
  if (value('AUDIT_PII') === 'pseudonymous') {
    problems.add('AUDIT_PII', 'full, unless AUDIT_HMAC_KEY is set', 'pseudonymous');
  }
  if (value('AUDIT_FINGERPRINT') === true) {
    problems.add('AUDIT_FINGERPRINT', 'false, unless AUDIT_HMAC_KEY is set', 'true');
  }
  return undefined;
}
