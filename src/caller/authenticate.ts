import { hash } from 'node:crypto';
import { ProblemError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { toScopeUri, type Api } from './api.ts';
import { createVerifyBearer } from './bearer-strategy.ts';
import { readBearerToken } from './bearer.ts';
import { toCaller, type Authenticate, type Identity } from './caller.ts';
import { toChallenge } from './challenge.ts';
import { parseIdentity } from './claims-policy.ts';
import { toScopes } from './claims.ts';
import { toIssuers } from './issuers.ts';
import { createForgedTokens } from './forged-tokens.ts';
import type { KeySet } from './key-set.ts';
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

/** A token whose shape was checked, and whose keys those are. */
type Candidate = Readonly<{ token: string; unverified: UnverifiedToken; tenantId: string }>;

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
    if (claims.tid === undefined) {
      throw new ProblemError(
        'wrong_issuer',
        'The access token names no tenant (tid), as all of Microsoft Entra ID do.',
      );
    }
    const source = sources.get(claims.tid.toLowerCase());
    if (source === undefined) {
      throw new ProblemError(
        'tenant_not_allowed',
        'The tenant that the access token names (tid) is not in ALLOWED_TENANT_IDS.',
      );
    }
    return source;
  }

  /** Whom it names by these keys; `undefined` where the signature does not hold under the key that the token names. */
  async function judge(
    { token, unverified, tenantId }: Candidate,
    keySet: KeySet,
  ): Promise<Identity | undefined> {
    const { kid, claims } = unverified;
    const issuers = toIssuers(authorityHost, tenantId, keySet.issuer);
    const accepted = Object.values(issuers);
    const signingKey = keySet.keys.get(kid);
    if (signingKey === undefined) throw toUnknownKey(claims.iss, accepted);

    const [scope] = toScopes(claims);
    const isAccepted = await verifyBearer({
      token,
      key: signingKey.key,
      issuers: accepted,
      audiences,
      // Any that the token holds: which one an operation needs is asked by authorise.
      scopes: [scope ?? createScope],
    });
    // The library's verdict stands; as it gives no reason, the reason of a refusal is found here.
    if (!isAccepted && !isSignedBy(signingKey.key, unverified)) return undefined;
    try {
      const policy = { api, tenantId, issuers, keyIssuer: signingKey.issuer, now: now() };
      const identity = parseIdentity(claims, policy);
      // The library refuses a token without a scope. Its caller is known all the same, and authorise admits it nowhere.
      if (!isAccepted && scope !== undefined) {
        log.warn('passport-azure-ad refused a token that this service would accept', { tenantId });
        throw invalid();
      }
      return identity;
    } catch (error) {
      // Entra itself names the tenant now: that is where the next token is to be had.
      throw error instanceof ProblemError ? withChallenge(error, tenantId) : error;
    }
  }

  async function verify(token: string, tokenHash: string): Promise<Identity> {
    const unverified = parseTokenShape(token);
    const { tenantId, mark, keySetFor, keySetAfter } = requireKeySource(unverified);
    const candidate = { token, unverified, tenantId };
    const arrival = mark();
    let keySet = await keySetFor(unverified.kid, arrival);
    let identity = await judge(candidate, keySet);
    if (identity === undefined) {
      const before = keySet;
      keySet = await keySetAfter(before, arrival);
      if (keySet !== before) identity = await judge(candidate, keySet);
    }
    if (identity === undefined) {
      const refusal = withChallenge(invalid('The signature of the access token does not hold.'));
      forgedTokens.write(tokenHash, { refusal, tenantId, keySet });
      throw refusal;
    }
    verifiedTokens.write(tokenHash, identity, keySet);
    return identity;
  }

  /** Throws what a token known to be forged was refused with, unless its tenant has other keys now. */
  async function refuseForged(tokenHash: string): Promise<void> {
    const forged = forgedTokens.read(tokenHash);
    if (forged === undefined) return;
    const keySet = await sources.get(forged.tenantId)?.keySetAfter(forged.keySet);
    if (keySet === forged.keySet) throw forged.refusal;
  }

  function withChallenge(problem: ProblemError, tenantId = keySources[0].tenantId): ProblemError {
    const { code, status, message } = problem;
    if (status !== 401 || problem.options.challenge !== undefined) return problem;
    const challenge = toChallenge(api, {
      tenantId,
      ...(code !== 'missing_token' && { error: 'invalid_token', description: message }),
    });
    return new ProblemError(code, message, { ...problem.options, challenge });
  }

  return async function authenticate(rawHeaders) {
    try {
      const token = readBearerToken(rawHeaders);
      const tokenHash = hash('sha256', token, 'base64');
      const known = verifiedTokens.read(tokenHash);
      onCache?.(known === undefined ? 'miss' : 'hit');
      if (known) return toCaller(known, token, tokenHash);
      await refuseForged(tokenHash);
      return toCaller(await verify(token, tokenHash), token, tokenHash);
    } catch (error) {
      throw error instanceof ProblemError ? withChallenge(error) : error;
    }
  };
}

/** Which issuer the token names is not repeated: nobody vouches for it. */
function toUnknownKey(issuer: string, accepted: readonly string[]): ProblemError {
  return accepted.includes(issuer)
    ? invalid('The access token is signed with a key that its tenant does not publish.')
    : new ProblemError(
        'wrong_issuer',
        'The access token is neither from the v2.0 nor from the v1.0 issuer of the tenant that it names (tid).',
      );
}

function invalid(message?: string): ProblemError {
  return new ProblemError('invalid_token', message);
}
