import { isIP } from 'node:net';
import type { EntryRow } from './entry-row.ts';

const TYPES: Readonly<Record<string, string>> = {
  'enrollmentToken.create': 'creation',
  'enrollmentToken.read': 'access',
  'enrollmentToken.revoke': 'deletion',
};
const OUTCOMES: Readonly<Record<EntryRow['result'], string>> = {
  success: 'success',
  failed: 'failure',
  refused: 'failure',
  unknown: 'unknown',
  open: 'unknown',
};

/** An entry as an event of the Elastic Common Schema 8.17. */
export function toEcsEvent(row: EntryRow): object {
  const refused = row.result === 'refused';
  return {
    '@timestamp': row.time,
    ecs: { version: '8.17.0' },
    event: {
      id: row.id,
      kind: 'event',
      category: refused ? ['api'] : ['api', 'configuration'],
      type: refused ? ['denied'] : [TYPES[row.action] ?? 'info'],
      action: row.action === '' ? undefined : row.action,
      outcome: OUTCOMES[row.result],
      code: row.code,
      dataset: 'enrollment-token-bff.audit',
      module: 'enrollment-token-bff',
    },
    service: { name: 'enrollment-token-bff', type: 'enrollment-token-bff' },
    user: { id: row.objectId, name: row.user },
    organization: row.tenantId === undefined ? undefined : { id: row.tenantId },
    // `ip` takes nothing but an address; a pseudonym is none.
    source: { address: row.address, ip: isIP(row.address) === 0 ? undefined : row.address },
    user_agent: row.userAgent === undefined ? undefined : { original: row.userAgent },
    http: {
      request: row.requestId === undefined ? undefined : { id: row.requestId },
      response: row.status === undefined ? undefined : { status_code: row.status },
    },
    labels: {
      client_id: row.client,
      profile_set: row.set,
      profile_id: row.profile,
      client_request_id: row.clientRequestId,
      graph_request_id: row.graphRequestId,
      token_fingerprint: row.fingerprint,
      count: row.count === undefined ? undefined : String(row.count),
    },
  };
}
