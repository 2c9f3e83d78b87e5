import { ProblemError } from '../errors.ts';
import { toScopeUri, type Api } from './api.ts';
import type { Identity } from './caller.ts';
import type { Claims } from './claims.ts';
import type { Issuers } from './issuers.ts';
import { shareClientId, shareScopes } from './shared-claims.ts';
import { isAppOnly, isIdToken } from './token-kind.ts';
import { requireValidTimes } from './token-times.ts';

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What the claims of a token must agree with. */
export type ClaimsPolicy = Readonly<{
  api: Api;
  tenantId: string;
  issuers: Issuers;
  /** The issuer that the signing key is restricted to. */
  keyIssuer: string | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}>;

/**
 * From claims whose signature held to whom they name. Which scope and which application an operation admits is
 * decided after this (authorise.ts).
 * @throws {ProblemError} naming the first claim that does not fit.
 */
export function parseIdentity(claims: Claims, policy: ClaimsPolicy): Identity {
  requireIssuer(claims, policy);
  if (isIdToken(claims)) {
    throw invalid(
      `This is an id token. Send an access token: request one with the scope ${toCreateScope(policy.api)}.`,
    );
  }
  requireAudience(claims, policy.api);
  requireValidTimes(claims, policy.now);
  if (isAppOnly(claims)) throw new ProblemError('app_only_token');

  const { upn, preferred_username, uti, exp } = claims;
  return Object.freeze({
    tenantId: policy.tenantId,
    objectId: parseGuid(claims.oid, 'the user (oid)'),
    clientId: shareClientId(
      parseGuid(claims.ver === '1.0' ? claims.appid : claims.azp, 'the calling application (appid or azp)'),
    ),
    userPrincipalName: upn ?? preferred_username,
    tokenId: uti,
    scopes: shareScopes(claims),
    expiresAt: exp * 1_000,
  });
}

function requireIssuer({ iss, ver, tid }: Claims, { issuers, tenantId, keyIssuer }: ClaimsPolicy): void {
  if (iss !== issuers['1.0'] && iss !== issuers['2.0']) {
    throw new ProblemError(
      'wrong_issuer',
      // Not spelt out: the name of an upstream host stays out of answers (contract section 4).
      `The access token was issued by ${toPrintable(iss)}. Expected is the v2.0 or the v1.0 issuer of the tenant ${tenantId}.`,
    );
  }
  const version = iss === issuers['2.0'] ? '2.0' : '1.0';
  if (ver !== version) {
    throw invalid(
      `The issuer of the access token is the one of v${version} tokens, but its claim "ver" says otherwise.`,
    );
  }
  if (tid?.toLowerCase() !== tenantId) {
    throw new ProblemError('wrong_issuer', 'The access token names another tenant (tid) than its issuer.');
  }
  if (keyIssuer !== undefined && keyIssuer !== iss && keyIssuer !== issuers['2.0']) {
    throw new ProblemError('wrong_issuer', 'The key that signed the access token belongs to another issuer.');
  }
}

function requireAudience({ aud, ver }: Claims, api: Api): void {
  if (api.audiences.includes(aud)) return;
  throw new ProblemError(
    'wrong_audience',
    `This v${ver} token was issued for ${toPrintable(aud)}. Request one with the scope ${toCreateScope(api)}.`,
  );
}

function parseGuid(value: string | undefined, what: string): string {
  const guid = value?.toLowerCase() ?? '';
  if (!GUID.test(guid)) throw invalid(`The access token does not name ${what}.`);
  return guid;
}

function toCreateScope(api: Api): string {
  return toScopeUri(api, 'EnrollmentToken.Create');
}

/** Signed by Entra, yet an App ID URI is free text. */
function toPrintable(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 128);
}

function invalid(message: string): ProblemError {
  return new ProblemError('invalid_token', message);
}
