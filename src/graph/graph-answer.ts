import type { Mutable } from '../mutable.ts';
import { parseRetryAfter } from '../retry-after.ts';
import type { OutboundResponse } from '../outbound.ts';
import { readIntuneRetryAfter, readGraphErrorCode } from './graph-error-body.ts';

/** What is taken from an answer of Graph's; everything else of it stays behind. */
export type GraphAnswer = Readonly<{
  status: number;
  /** Graph's `request-id`, when it is a GUID. */
  requestId?: string;
  /** Graph's own clock (`Date`), milliseconds since the epoch. */
  date?: number;
  /** From the header, or from Intune's nested error; seconds, capped. */
  retryAfterSeconds?: number;
  /** Graph's `error.code`, for the log. */
  errorCode?: string;
  /** A claims challenge (continuous access evaluation): the decoded claims, or `undefined` if they cannot be read. */
  challenge?: Readonly<{ claims: string | undefined }>;
  /** The parsed body of a 200; `undefined` when it is no JSON. */
  json?: unknown;
}>;

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function parseJson(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `WWW-Authenticate` of a 401 by continuous access evaluation: `error="insufficient_claims", claims="<base64>"`. */
function readClaimsChallenge(header: string | undefined): GraphAnswer['challenge'] {
  if (!header?.includes('insufficient_claims')) return undefined;
  const encoded = /\bclaims="([A-Za-z0-9+/=_-]{1,8192})"/.exec(header)?.[1];
  return { claims: encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString() };
}

export function parseGraphAnswer({ status, headers, body }: OutboundResponse, now: number): GraphAnswer {
  const json = parseJson(body);
  const requestId = headers['request-id'];
  const date = Date.parse(headers['date'] ?? '');
  const isError = status >= 400;
  const retryAfterSeconds = isError
    ? (parseRetryAfter(headers['retry-after'], now) ?? readIntuneRetryAfter(json, now))
    : undefined;
  const errorCode = isError ? readGraphErrorCode(json) : undefined;
  const challenge = status === 401 ? readClaimsChallenge(headers['www-authenticate']) : undefined;
  const answer: Mutable<GraphAnswer> = { status };
  if (requestId !== undefined && GUID.test(requestId)) answer.requestId = requestId;
  if (!Number.isNaN(date)) answer.date = date;
  if (retryAfterSeconds !== undefined) answer.retryAfterSeconds = retryAfterSeconds;
  if (errorCode !== undefined) answer.errorCode = errorCode;
  if (challenge !== undefined) answer.challenge = challenge;
  if (json !== undefined) answer.json = json;
  return answer;
}
