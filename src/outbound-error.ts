export type OutboundFailure =
  | 'unreachable'
  | 'tls'
  | 'timeout'
  | 'aborted'
  | 'reset'
  | 'too_large'
  | 'informational'
  | 'invalid_response';

/** A call without a usable answer. Holds no header, no body and no host name. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  /** `not_sent`: certainly not one byte of the request was written. `lost`: it may have been acted upon. */
  readonly kind: 'not_sent' | 'lost';
  readonly reason: OutboundFailure;

  constructor(kind: OutboundError['kind'], reason: OutboundFailure) {
    super(`upstream call failed ${kind === 'lost' ? 'after' : 'before'} the request was sent: ${reason}`);
    this.kind = kind;
    this.reason = reason;
  }
}
