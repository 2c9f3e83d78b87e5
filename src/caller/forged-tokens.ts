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
  read: (tokenHash: string) => ForgedToken | undefined;
  write: (tokenHash: string, entry: ForgedToken) => void;
}>;

/** What one key set says of a signature never changes; with another key set the token is looked at again. */
export function createForgedTokens(currentKeySet: (tenantId: string) => KeySet | undefined): ForgedTokens {
  const entries = new LRUCache<string, ForgedToken>({ max: MAX_ENTRIES });

  return {
    read(tokenHash) {
      const entry = entries.get(tokenHash);
      return entry && currentKeySet(entry.tenantId) === entry.keySet ? entry : undefined;
    },
    write: (tokenHash, entry) => void entries.set(tokenHash, entry),
  };
}
