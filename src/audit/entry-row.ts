import type { Entry } from './entries.ts';
import type { PastIntent } from './past-intent.ts';
import type { AuditResult } from './record.ts';

/** One entry in one row: what a person or a spreadsheet wants to see of it. */
export type EntryRow = Readonly<{
  time: string;
  action: string;
  /** `refused` before it began, `open` while nobody knows its end. */
  result: AuditResult | 'refused' | 'open';
  status: number | undefined;
  code: string | undefined;
  count: number | undefined;
  user: string | undefined;
  objectId: string | undefined;
  tenantId: string | undefined;
  client: string | undefined;
  set: string | undefined;
  profile: string | undefined;
  address: string;
  userAgent: string | undefined;
  requestId: string | undefined;
  clientRequestId: string | undefined;
  graphRequestId: string | undefined;
  fingerprint: string | undefined;
  /** `id` of the intent, or of the refusal. */
  id: string;
}>;

export function toEntryRow(entry: Entry): EntryRow {
  const about = 'refusal' in entry ? entry.refusal : entry.intent;
  const intent = 'refusal' in entry ? undefined : entry.intent;
  const refusal = 'refusal' in entry ? entry.refusal : undefined;
  const outcome = 'refusal' in entry ? undefined : entry.outcome;
  return {
    time: about.time,
    action: about.action ?? '',
    result: 'refusal' in entry ? 'refused' : toResult(entry),
    status: refusal?.status ?? outcome?.status,
    code: refusal?.code ?? outcome?.code,
    count: refusal?.count,
    user: about.actor?.userPrincipalName,
    objectId: about.actor?.objectId,
    tenantId: about.actor?.tenantId,
    client: about.actor?.clientId,
    set: intent?.resource.set,
    profile: intent?.resource.id,
    address: about.source.address,
    userAgent: about.source.userAgent,
    requestId: intent?.requestId,
    clientRequestId: intent?.clientRequestId,
    graphRequestId: outcome?.upstream.requestId,
    fingerprint: outcome?.tokenFingerprint,
    id: about.id,
  };
}

/** The last word on an intent. */
export function toResult({ outcome, recovered, settled }: PastIntent): AuditResult | 'open' {
  return settled?.result ?? outcome?.result ?? recovered?.result ?? 'open';
}
