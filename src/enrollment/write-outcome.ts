import type { AuditResult } from '../audit/record.ts';
import type { ProblemError } from '../errors.ts';
import type { CreationWindow } from './creation-window.ts';

/** What the audit journal keeps of the calls to Graph behind one operation. */
export type Upstream = Readonly<{
  /** Graph's `request-id` and status of the last answer. */
  requestId?: string;
  status?: number;
  /** How often the write itself was sent. */
  attempts: number;
  durationMs: number;
}>;

/** How a create or revoke ended: done, certainly not done, or open. */
export type WriteOutcome =
  /** `status`: of the answer, unless it is 204. `window`: when a creation happened, to know its token by. */
  | Readonly<{
      result: Extract<AuditResult, 'success'>;
      upstream: Upstream;
      status?: number;
      tokenFingerprint?: string;
      window?: CreationWindow;
    }>
  | Readonly<{ result: Extract<AuditResult, 'failed'>; problem: ProblemError; upstream: Upstream }>
  /** `window`: when a creation must have happened to be this one, for a later read-back. */
  | Readonly<{
      result: Extract<AuditResult, 'unknown'>;
      problem: ProblemError;
      upstream: Upstream;
      window?: CreationWindow;
    }>;
