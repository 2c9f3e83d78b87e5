import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ProblemError } from '../errors.ts';
import type { KeySet } from './key-set.ts';

/** Who floods the service with more different ones pays for each with a token of its own. */
const MAX_ENTRIES = 5_000;

export type ForgedToken = Readonly<{
  /** The refusal it was met with. */
  refusal: ProblemError;
  tenantId: string;
  keySet: KeySet;
}>;

/** Tokens whose signature did not hold, by their SHA-256: seen again, they cost no cryptography. */
export type ForgedTokens = Readonly<{
  read: (token: string) => ForgedToken | undefined;
  write: (token: string, entry: ForgedToken) => void;
}>;

/** What one key set says of a signature never changes; with another key set the token is looked at again. */
export function createForgedTokens(currentKeySet: (tenantId: string) => KeySet | undefined): ForgedTokens {
  const entries = new LRUCache<string, ForgedToken>({ max: MAX_ENTRIES });
  const toKey = (token: string): string => hash('sha256', token, 'base64');

  return {
    read(token) {
      if (entries.size === 0) return undefined;
      const entry = entries.get(toKey(token));
      return entry && currentKeySet(entry.tenantId) === entry.keySet ? entry : undefined;
    },
    write: (token, entry) => void entries.set(toKey(token), entry),
  };
}
