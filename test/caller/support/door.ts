import { authorise } from '../../../src/caller/authorise.ts';
import type { Authenticate, Caller } from '../../../src/caller/caller.ts';
import { AUDIENCES, AUTHORITY, CLIENT, FRONT_END, toRawHeaders } from './tenant.ts';

/** All that stands before createToken: who calls, and whether this caller may. */
export function createDoor(authenticate: Authenticate): (token: string) => Promise<Caller> {
  const api = { clientId: CLIENT, audiences: AUDIENCES, authorityHost: AUTHORITY };
  return async (token) => {
    const caller = await authenticate(toRawHeaders(token));
    authorise(caller, { api, scope: 'EnrollmentToken.Create', allowedClientIds: [FRONT_END] });
    return caller;
  };
}
