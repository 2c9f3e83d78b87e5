import type { Call } from './call.ts';
import type { RequestEntry } from './journal.ts';

type Told = Readonly<{ at: number; url: string; fault: string | undefined }>;

/** A call as the journal tells it: without the token, but with whose it was. */
export function toRequestEntry(
  { request, route, token, requestId }: Call,
  { at, url, fault }: Told,
): RequestEntry {
  const headers = Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]);
  const authorization = token ? '[a Graph token]' : '[not a Graph token]';
  return {
    kind: 'request',
    at,
    operation: route?.operation ?? 'other',
    method: request.method,
    path: url,
    headers: {
      ...Object.fromEntries(headers),
      ...(request.headers.authorization !== undefined && { authorization }),
    },
    body: request.body,
    requestId,
    ...(token && { user: token.user, tenantId: token.tenantId }),
    ...(fault !== undefined && { fault }),
  };
}
