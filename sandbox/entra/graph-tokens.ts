import { randomBytes } from 'node:crypto';

/** What the sandbox remembers of a Graph token, which says nothing by itself. */
export type GraphTokenRecord = Readonly<{
  tenantId: string;
  /** `oid` of the user it acts for. */
  user: string;
  /** The service. */
  clientId: string;
  /** The Graph it is good for. */
  audience: string;
  /** The `claims` it was asked with, parsed. */
  claims: unknown;
  /** Whether the client announced that it handles claims challenges (`xms_cc` with `cp1`). */
  handlesChallenges: boolean;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}>;

export type GraphTokens = Readonly<{
  issue: (record: GraphTokenRecord) => string;
  /** `undefined` for a token that was never issued, or revoked. */
  read: (token: string) => GraphTokenRecord | undefined;
  /** Makes a user's tokens unknown, as when the session is revoked. */
  revokeUser: (user: string) => void;
}>;

/** Bytes of randomness: a real one, base64, is about 2 KB. */
const TOKEN_BYTES = 1536;
const MAX_TOKENS = 200_000;

/** `canary` begins each token, so that a leak shows. */
export function createGraphTokens(canary: string): GraphTokens {
  const records = new Map<string, GraphTokenRecord>();
  return {
    issue: (record) => {
      const token = `${canary}${randomBytes(TOKEN_BYTES).toString('base64url')}`;
      records.set(token, record);
      if (records.size > MAX_TOKENS)
        for (const oldest of records.keys()) return evict(records, oldest, token);
      return token;
    },
    read: (token) => records.get(token),
    revokeUser: (user) => {
      for (const [token, record] of records) if (record.user === user) records.delete(token);
    },
  };
}

function evict<Kept>(records: Map<string, unknown>, oldest: string, kept: Kept): Kept {
  records.delete(oldest);
  return kept;
}
