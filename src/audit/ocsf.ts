import { isIP } from 'node:net';
import type { EntryRow } from './entry-row.ts';

const API_ACTIVITY = 6003;
const APPLICATION_ACTIVITY = 6;
/** Create, Read, Delete of API Activity; a token that is revoked is deleted. Anything else: 99, Other. */
const ACTIVITIES: Readonly<Record<string, readonly [id: number, name: string]>> = {
  'enrollmentToken.create': [1, 'Create'],
  'enrollmentToken.read': [2, 'Read'],
  'enrollmentToken.revoke': [4, 'Delete'],
};
const STATUSES: Readonly<Record<EntryRow['result'], readonly [id: number, name: string]>> = {
  success: [1, 'Success'],
  failed: [2, 'Failure'],
  refused: [2, 'Failure'],
  unknown: [0, 'Unknown'],
  open: [0, 'Unknown'],
};
const INFORMATIONAL = 1;
const LOW = 2;
const USER = 1;

/** An entry as an event of the Open Cybersecurity Schema Framework 1.3, class API Activity. */
export function toOcsfEvent(row: EntryRow): object {
  const [activityId, activityName] = ACTIVITIES[row.action] ?? [99, 'Other'];
  const [statusId, status] = STATUSES[row.result];
  return {
    class_uid: API_ACTIVITY,
    class_name: 'API Activity',
    category_uid: APPLICATION_ACTIVITY,
    category_name: 'Application Activity',
    activity_id: activityId,
    activity_name: activityName,
    type_uid: API_ACTIVITY * 100 + activityId,
    type_name: `API Activity: ${activityName}`,
    severity_id: row.result === 'success' ? INFORMATIONAL : LOW,
    severity: row.result === 'success' ? 'Informational' : 'Low',
    time: Date.parse(row.time),
    status_id: statusId,
    status,
    status_code: row.code,
    count: row.count,
    metadata: {
      version: '1.3.0',
      uid: row.id,
      correlation_uid: row.clientRequestId,
      original_time: row.time,
      product: { name: 'enrollment-token-bff', vendor_name: 'enrollment-token-bff' },
    },
    actor: toActor(row),
    api: {
      operation: row.action === '' ? 'unknown' : row.action,
      service: { name: 'enrollment-token-bff' },
      request: row.requestId === undefined ? undefined : { uid: row.requestId },
      response: row.status === undefined ? undefined : { code: row.status, error: row.code },
    },
    // `ip` takes nothing but an address; a pseudonym, or the `*` of many addresses, is a name.
    src_endpoint: isIP(row.address) === 0 ? { name: row.address } : { ip: row.address },
    http_request: row.userAgent === undefined ? undefined : { user_agent: row.userAgent },
    resources: row.profile === undefined ? undefined : [{ uid: row.profile, type: row.set }],
    unmapped: { graph_request_id: row.graphRequestId, token_fingerprint: row.fingerprint },
  };
}

/** An actor names an application or a user, and a user has a name or an id: of strangers only the application is known. */
function toActor({ client, objectId, user, tenantId }: EntryRow): object {
  if (objectId === undefined) return { app_name: 'unauthenticated' };
  const org = tenantId === undefined ? undefined : { uid: tenantId };
  return { app_uid: client, user: { uid: objectId, name: user, type_id: USER, org } };
}
