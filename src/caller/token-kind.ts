import type { Claims } from './claims.ts';

/** Accounts of Outlook.com, Xbox and the like all live in this one tenant. */
const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';

/** `aud` of tokens for Microsoft Graph, in every cloud. */
const GRAPH_AUDIENCES: ReadonlySet<string> = new Set([
  '00000003-0000-0000-c000-000000000000',
  'https://graph.microsoft.com',
  'https://graph.microsoft.us',
  'https://dod-graph.microsoft.us',
  'https://microsoftgraph.chinacloudapi.cn',
]);

export function isForGraph({ aud }: Claims): boolean {
  return GRAPH_AUDIENCES.has(aud.replace(/\/$/, ''));
}

export function isOfPersonalAccount({ tid }: Claims): boolean {
  return tid?.toLowerCase() === PERSONAL_TENANT;
}

/** A user's access token holds `scp`; `idtyp` is only sometimes there, and then says "user". */
export function isAppOnly({ scp, idtyp = 'user' }: Claims): boolean {
  return scp === undefined || idtyp !== 'user';
}

/**
 * An id token speaks to the application that asked for it: it names no other (`azp`, `appid`), and grants no scope. What it says of
 * the user (`name`, `nonce`, …) depends on the scopes asked for, `openid` alone brings nothing.
 */
export function isIdToken({ scp, azp, appid, idtyp }: Claims): boolean {
  return (scp ?? azp ?? appid ?? idtyp) === undefined;
}
