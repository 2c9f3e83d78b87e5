import type { EntryRow } from './entry-row.ts';

/** What to look for; all that is given must match. */
export type SearchQuery = Readonly<{
  /** Object id or user principal name. */
  user?: readonly string[];
  profile?: string;
  client?: string;
  /** `enrollmentToken.create`, or its last word. */
  action?: string;
  result?: string;
  /** Milliseconds since the epoch, the first inclusive, the second exclusive. */
  since?: number;
  until?: number;
  /** This service's, the caller's, or Graph's. */
  requestId?: string;
  fingerprint?: string;
}>;

/** The words that `action` and `result` can have. */
export const ACTIONS: readonly string[] = ['create', 'revoke', 'read'].flatMap((word) => [
  word,
  `enrollmentToken.${word}`,
]);
export const RESULTS: readonly EntryRow['result'][] = ['success', 'failed', 'unknown', 'refused', 'open'];

export function matches(row: EntryRow, query: SearchQuery): boolean {
  const time = Date.parse(row.time);
  return (
    isOneOf(query.user, row.user, row.objectId) &&
    isOneOf(query.profile, row.profile) &&
    isOneOf(query.client, row.client) &&
    isOneOf(query.action, row.action, row.action.split('.').at(-1)) &&
    isOneOf(query.result, row.result) &&
    isOneOf(query.requestId, row.requestId, row.clientRequestId, row.graphRequestId) &&
    isOneOf(query.fingerprint, row.fingerprint) &&
    !(query.since !== undefined && time < query.since) &&
    !(query.until !== undefined && time >= query.until)
  );
}

/** Whether one of the values is (one of) what is wanted, or nothing is wanted. Ids and names ignore case, as Entra does. */
function isOneOf(
  wanted: string | readonly string[] | undefined,
  ...values: readonly (string | undefined)[]
): boolean {
  if (wanted === undefined) return true;
  const all = (typeof wanted === 'string' ? [wanted] : wanted).map((text) => text.toLowerCase());
  return values.some((value) => value !== undefined && all.includes(value.toLowerCase()));
}
