import type { ProblemCode } from '../errors.ts';
import type { CreationWindow } from './creation-window.ts';

/** What is kept of the first request with a key. It holds no secret. */
export type IdempotencyRecord = Readonly<{
  /** SHA-256 of what was asked, so that another body is noticed. */
  fingerprint: string;
  /** `id` of the intent in the audit journal. */
  intent: string;
  /** `requestId` of that intent, by which the replicas know whose turn it was. */
  requestId: string;
  outcome:
    /** `window`: when a creation happened, to know its token by. */
    | Readonly<{ result: 'success'; window?: CreationWindow }>
    /** Graph refused: repeating gives the same answer. */
    | Readonly<{ result: 'failed'; code: ProblemCode }>
    /** Done at Graph, its record not written: the next request with the key writes it. */
    | Readonly<{ result: 'unrecorded'; window?: CreationWindow }>
    /** Open; a create can be settled while the window is known. */
    | Readonly<{ result: 'unknown'; code: ProblemCode; window?: CreationWindow }>;
}>;

export type IdempotencyClaim =
  /** Nobody had this key: it is marked as under way until `keep` or `release`. */
  | Readonly<{ kind: 'first' }>
  | Readonly<{ kind: 'under_way'; fingerprint: string }>
  /**
   * Another replica began and has not said in time how it ended; without its intent nothing can settle that. Nothing is marked: what
   * that replica may yet keep stands.
   */
  | Readonly<{ kind: 'abandoned'; fingerprint: string }>
  /** The record; an open one (unrecorded, unknown) is marked as under way again, until `keep`. */
  | Readonly<{ kind: 'known'; record: IdempotencyRecord }>;

/**
 * The records of idempotency keys, 24 hours each. A store that cannot be reached rejects with ProblemError
 * `idempotency_unavailable`: a key is never ignored.
 */
export type IdempotencyStore = Readonly<{
  claim: (key: string, fingerprint: string) => Promise<IdempotencyClaim>;
  keep: (key: string, record: IdempotencyRecord) => Promise<void>;
  /** Forgets a key whose request did nothing. */
  release: (key: string) => Promise<void>;
}>;

/** Milliseconds for which a key counts (contract 6.4). */
export const KEY_LIFETIME = 24 * 60 * 60_000;

export const isOpen = ({ outcome: { result } }: IdempotencyRecord): boolean =>
  result === 'unknown' || result === 'unrecorded';
