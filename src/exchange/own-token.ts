import type { Outbound } from '../outbound.ts';
import type { Credential } from './credential.ts';
import type { GraphToken } from './graph-token.ts';
import { readTokenAnswer } from './token-answer.ts';

/** A token that Graph did not take, although it should still be good. */
export type RefusedToken = Readonly<{ refused: GraphToken }>;

/** A Graph token of this service itself, without a user: kept until shortly before its end or until refused. Rejects when Entra gives none. */
export type ReadOwnToken = (past?: RefusedToken) => Promise<GraphToken>;

type OwnTokenOptions = Readonly<{
  send: Outbound;
  authorityHost: string;
  graphBaseUrl: string;
  tenantId: string;
  clientId: string;
  credential: Credential;
  now?: () => number;
}>;

/** Milliseconds before its end at which a token is asked for anew. */
const MARGIN = 5 * 60_000;

/** The client credentials grant (RFC 6749 section 4.4). It needs application permissions, and serves no caller. */
export function createOwnToken(options: OwnTokenOptions): ReadOwnToken {
  const { send, authorityHost, graphBaseUrl, tenantId, clientId, credential, now = Date.now } = options;
  const url = `${authorityHost}/${tenantId}/oauth2/v2.0/token`;
  let current: GraphToken | undefined;

  return async (past) => {
    if (past && current === past.refused) current = undefined;
    if (current && current.expiresAt - MARGIN > now()) return current;
    const { fields } = await credential(url);
    const form = {
      grant_type: 'client_credentials',
      client_id: clientId,
      ...fields,
      scope: `${graphBaseUrl}/.default`,
    };
    const response = await send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams(form).toString(),
    });
    current = response.status === 200 ? readTokenAnswer(response.body, now()) : undefined;
    if (!current) throw new Error(`Entra gave no token to this service itself: status ${response.status}`);
    return current;
  };
}
