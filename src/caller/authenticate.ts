import { ProblemError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { toScopeUri, type Api } from './api.ts';
import { createVerifyBearer } from './bearer-strategy.ts';
import { readBearerToken } from './bearer.ts';
import type { Authenticate, Caller } from './caller.ts';
import { toChallenge } from './challenge.ts';
import { parseCaller } from './claims-policy.ts';
import { toScopes } from './claims.ts';
import { toV1Issuer } from './issuers.ts';
import { createForgedTokens } from './forged-tokens.ts';
import type { KeySource } from './key-source.ts';
import { isSignedBy } from './signature.ts';
import { isForGraph, isOfPersonalAccount } from './token-kind.ts';
import { parseTokenShape, type UnverifiedToken } from './token-shape.ts';
import { createVerifiedTokens } from './verified-tokens.ts';

export type AuthenticateOptions = Api &
  Readonly<{
    /** One for each tenant whose tokens are accepted; the first is the tenant that a caller without a token is sent to. */
    keySources: readonly [KeySource, ...KeySource[]];
    log: Logger;
    now?: () => number;
    /** Told whether a token had been verified before. */
    onCache?: (result: 'hit' | 'miss') => void;
  }>;

/**
 * Shape, then signature, then claims. Before the signature held, a refusal names the kind of defect and nothing that the
 * token says.
 */
export function createAuthenticate(options: AuthenticateOptions): Authenticate {
  const { clientId, audiences, authorityHost, keySources, log, now = Date.now, onCache } = options;
  const api: Api = { clientId, audiences, authorityHost };
  const createScope = toScopeUri(api, 'EnrollmentToken.Create');
  const sources: ReadonlyMap<string, KeySource> = new Map(
    keySources.map((source) => [source.tenantId, source]),
  );
  const verifyBearer = createVerifyBearer(clientId);
  const currentKeySet = (tenantId: string) => sources.get(tenantId)?.currentKeySet();
  const verifiedTokens = createVerifiedTokens({ currentKeySet, now });
  const forgedTokens = createForgedTokens(currentKeySet);

  /** The source of the keys that a token must have been signed with, chosen by its unverified `tid`. */
  function requireKeySource({ claims, hasNonce }: UnverifiedToken): KeySource {
    if (isForGraph(claims)) {
      throw new ProblemError(
        'wrong_audience',
        `This token was issued for Microsoft Graph. Request one with the scope ${createScope}.`,
      );
    }
    if (hasNonce) throw invalid('This token was issued for an API of Microsoft, which alone can verify it.');
    if (isOfPersonalAccount(claims)) throw new ProblemError('personal_account');
    if (claims.tid === undefined) throw new ProblemError('wrong_issuer');
    const source = sources.get(claims.tid.toLowerCase());
    if (source === undefined) throw new ProblemError('tenant_not_allowed');
    return source;
  }

  async function verify(token: string): Promise<Caller> {
    const unverified = parseTokenShape(token);
    const { kid, claims } = unverified;
    const { tenantId, keySetFor } = requireKeySource(unverified);
    const keySet = await keySetFor(kid);
    const issuers = { '1.0': toV1Issuer(authorityHost, tenantId), '2.0': keySet.issuer };
    const signingKey = keySet.keys.get(kid);
    if (signingKey === undefined) throw toUnknownKey(Object.values(issuers).includes(claims.iss));

    const isAccepted = await verifyBearer({
      token,
      key: signingKey.key,
      issuers: Object.values(issuers),
      audiences,
      // That the token holds scopes is asked here; which one an operation needs is asked by authorise.
      scopes: [...toScopes(claims), 'EnrollmentToken.Create'],
    });
    // The library's verdict stands; as it gives no reason, the reason of a refusal is found here.
    if (!isAccepted && !isSignedBy(signingKey.key, unverified)) {
      const refusal = withChallenge(invalid('The signature of the access token does not hold.'));
      forgedTokens.write(token, { refusal, tenantId, keySet });
      throw refusal;
    }
    const caller = parseCaller(
      claims,
      { api, tenantId, issuers, keyIssuer: signingKey.issuer, now: now() },
      token,
    );
    if (!isAccepted) {
      log.warn('passport-azure-ad refused a token that this service would accept', { tenantId });
      throw invalid();
    }
    verifiedTokens.write(token, caller, keySet);
    return caller;
  }

  function withChallenge(problem: ProblemError): ProblemError {
    const { code, status, message } = problem;
    if (problem.options.challenge !== undefined) return problem;
    if (status !== 401 && code !== 'insufficient_scope') return problem;
    const error = code === 'insufficient_scope' ? code : 'invalid_token';
    const challenge = toChallenge(api, {
      tenantId: keySources[0].tenantId,
      ...(code !== 'missing_token' && { error, description: message }),
      ...(code === 'insufficient_scope' && { scope: createScope }),
    });
    return new ProblemError(code, message, { ...problem.options, challenge });
  }

  return async function authenticate(rawHeaders) {
    try {
      const token = readBearerToken(rawHeaders);
      const known = verifiedTokens.read(token);
      onCache?.(known === undefined ? 'miss' : 'hit');
      if (known) return known;
      const refusal = forgedTokens.read(token);
      if (refusal) throw refusal;
      return await verify(token);
    } catch (error) {
      throw error instanceof ProblemError ? withChallenge(error) : error;
    }
  };
}

function toUnknownKey(isIssuerKnown: boolean): ProblemError {
  return isIssuerKnown
    ? invalid('The access token is signed with a key that its tenant does not publish.')
    : new ProblemError('wrong_issuer');
}

function invalid(message?: string): ProblemError {
  return new ProblemError('invalid_token', message);
}
