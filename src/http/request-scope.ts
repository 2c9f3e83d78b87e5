import { randomUUID as cryptoRandomUUID } from 'node:crypto';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { AuditSource } from '../audit/record.ts';
import type { Caller } from '../caller/caller.ts';
import type { ListQuery } from '../graph/list-query.ts';
import type { Operation } from '../graph/operations.ts';
import type { Profile, ProfileSet } from '../graph/profile.ts';
import type { Decision, LimitKey, TierState } from '../limits/tier.ts';

/** Keys that were charged together. */
export type Charge = Readonly<{ keys: readonly LimitKey[]; decision: Decision }>;

/** What is known of one request; each step adds what it found out. */
export type RequestScope = {
  readonly requestId: string;
  /** The caller's, if it is a GUID, else a new one. */
  readonly clientRequestId: string;
  /** `trace-id` of a W3C traceparent, for the log. */
  readonly traceId: string | undefined;
  /** As it was sent: neither decoded nor normalised, without the query. */
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly source: AuditSource;
  operation?: Operation;
  set?: ProfileSet;
  /** The id as it stands in the path, not judged yet. */
  rawId?: string;
  caller?: Caller;
  body?: Buffer;
  profile?: Profile;
  validitySeconds?: number;
  listQuery?: ListQuery;
  /** `Prefer: return=representation`. */
  wantsToken?: boolean;
  /** `Accept` prefers the PNG to JSON, where there is one. */
  wantsImage?: boolean;
  idempotencyKey?: string;
  /** What the limits charged, to be given back when the request is refused before anything was done for it. */
  addressCharge?: Charge;
  callerCharge?: Charge;
  rateLimits: readonly TierState[];
  /** The inner code of the problem it was answered with. */
  problemCode?: string;
};

export type ScopedLocals = { scope: RequestScope };

/** One step of a request's way through the app. */
export type Step = RequestHandler<Record<string, string>, unknown, unknown, unknown, ScopedLocals>;

/** A step that only requests meet that failed. */
export type ProblemStep = ErrorRequestHandler<
  Record<string, string>,
  unknown,
  unknown,
  unknown,
  ScopedLocals
>;

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** W3C Trace Context section 3.2: version ff and ids of zeros are invalid, later versions may add fields. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/;

const toSingle = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

type ScopeOptions = Readonly<{
  readAddress: (remoteAddress: string | undefined, rawHeaders: readonly string[]) => string;
  now?: () => number;
  randomUUID?: () => string;
}>;

/** Begins the request: its ids, its clock, where it comes from; the ids go out with every answer. */
export function beginScope({
  readAddress,
  now = Date.now,
  randomUUID = cryptoRandomUUID,
}: ScopeOptions): Step {
  return function beginScope(request, response, next) {
    const { headers, url } = request;
    const asked = toSingle(headers['client-request-id']);
    const userAgent = headers['user-agent'];
    const address = readAddress(request.socket.remoteAddress, request.rawHeaders);
    const scope: RequestScope = {
      requestId: randomUUID(),
      clientRequestId: asked !== undefined && GUID.test(asked) ? asked : randomUUID(),
      traceId: TRACEPARENT.exec(toSingle(headers['traceparent']) ?? '')?.[1],
      path: url.split('?', 1)[0] ?? '',
      startedAt: now(),
      source: userAgent === undefined ? { address } : { address, userAgent },
      rateLimits: [],
    };
    response.locals.scope = scope;
    response.setHeader('request-id', scope.requestId);
    response.setHeader('client-request-id', scope.clientRequestId);
    response.setHeader('Cache-Control', 'no-store');
    next();
  };
}
