// Placeholder types; the implementation follows.
export type OutboundRequest = Readonly<{
  method: 'GET' | 'POST';
  /** Absolute https URL, built from constants and checked values only. */
  url: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** Milliseconds for the whole call, connection and body included; default: the outbound's own. */
  timeoutMs?: number;
  /** Bytes of body accepted; default 256 KiB. */
  maxBytes?: number;
  /** Ends the call early (deadline of the request). */
  signal?: AbortSignal;
}>;

export type OutboundResponse = Readonly<{
  status: number;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  /** Decoded as UTF-8; with a content coding (none is asked for) the empty string. */
  body: string;
}>;

/** One HTTPS call: resolves for every status (nothing is followed, nothing is thrown for a 500), rejects with OutboundError. */
export type Outbound = (request: OutboundRequest) => Promise<OutboundResponse>;

/** A call without an answer. Holds no header, no body and no host name. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  /** `not_sent`: certainly not one byte of the request was written. `lost`: it may have been acted upon. */
  readonly kind: 'not_sent' | 'lost';
  readonly reason: 'unreachable' | 'tls' | 'timeout' | 'aborted' | 'reset' | 'too_large' | 'invalid_response';

  constructor(kind: OutboundError['kind'], reason: OutboundError['reason']) {
    super(
      `the upstream call failed: ${reason}, ${kind === 'lost' ? 'after' : 'before'} the request was sent`,
    );
    this.kind = kind;
    this.reason = reason;
  }
}
