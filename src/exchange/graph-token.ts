import type { Caller } from '../caller/caller.ts';
import type { Secret } from '../secret.ts';

/** A Graph access token acting for one caller. It is opaque: never parsed. */
export type GraphToken = Readonly<{
  value: Secret;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  /** The claims challenge it was asked with, if any. */
  claims?: string;
}>;

export type ExchangeOptions = Readonly<{
  /** A claims challenge of Graph's to be satisfied: minified JSON. */
  claims?: string;
  /** Of the request. Its signal is asked for by whoever has to wait, and by nobody else: it takes a timer to make one. */
  deadline?: Readonly<{ signal: AbortSignal }>;
}>;

/**
 * Exchanges a caller's token on-behalf-of. Throws a ProblemError: 401 `claims_challenge`, `invalid_token`;
 * 403 `consent_required`, `policy_denied`; 500 `credential_rejected`; 503 `entra_unavailable`; 504 `upstream_timeout`.
 */
export type Exchange = (caller: Caller, options?: ExchangeOptions) => Promise<GraphToken>;
