import type { CredentialKind } from './client-credential.ts';

/** One request to the token endpoint, told without its secrets. */
export type ExchangeEntry = Readonly<{
  /** Milliseconds since the epoch. */
  at: number;
  tenantId: string;
  /** `oid` of the assertion, once it was verified. */
  user?: string;
  /** How the client proved itself, once it had. */
  credential?: CredentialKind;
  /** The form's `claims` as sent. */
  claims?: string;
  scope: string;
  status: number;
  /** The AADSTS number of a refusal. */
  code?: number;
  correlationId: string;
}>;

export type EntraJournal = Readonly<{
  /** Requests to the token endpoint, oldest first. */
  exchanges: ExchangeEntry[];
  /** How often each operation was asked for: `metadata`, `keys`, `token`. */
  counts: Record<'metadata' | 'keys' | 'token', number>;
  clear: () => void;
}>;

export function createEntraJournal(): EntraJournal {
  const exchanges: ExchangeEntry[] = [];
  const counts = { metadata: 0, keys: 0, token: 0 };
  return {
    exchanges,
    counts,
    clear: () => {
      exchanges.length = 0;
      Object.assign(counts, { metadata: 0, keys: 0, token: 0 });
    },
  };
}
