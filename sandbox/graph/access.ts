import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { GraphTokenRecord } from '../entra/graph-tokens.ts';
import { toJsonAnswer, type Answer } from '../http/answer.ts';
import { toGraphError, toIntuneError } from './error-body.ts';

/** What the token must have been asked with: the `claims` of a challenge (continuous access evaluation). */
export type Challenge = Readonly<{ access_token: Readonly<Record<string, unknown>> }>;

export type Access = Readonly<{
  /** The refusal of a token, or `undefined` if it may act. */
  refuse: (token: GraphTokenRecord | undefined, requestId: string) => Answer | undefined;
  /** Challenges a user's tokens until they were asked with these claims; `undefined` ends it. */
  challenge: (user: string, claims: Challenge | undefined) => void;
  /** Takes the Intune role from a user, or gives it back. */
  setRole: (user: string, hasRole: boolean) => void;
}>;

const Claims = z.looseObject({ access_token: z.looseObject({}) });

type AccessOptions = Readonly<{
  audience: () => string;
  authorityHost: string;
  canary: string;
  now: () => number;
}>;

export function createAccess({ audience, authorityHost, canary, now }: AccessOptions): Access {
  const withoutRole = new Set<string>();
  const challenges = new Map<string, Challenge>();

  const isUnmet = ({ user, claims }: GraphTokenRecord): boolean => {
    const challenge = challenges.get(user);
    if (challenge === undefined) return false;
    const asked = Claims.safeParse(claims).data?.access_token ?? {};
    return !Object.entries(challenge.access_token).every(([name, value]) =>
      isDeepStrictEqual(asked[name], value),
    );
  };

  return {
    refuse: (token, requestId) => {
      if (token === undefined)
        return toRefusal('CompactToken parsing failed with error code: 80049217', requestId);
      if (token.audience !== audience())
        return toRefusal('Access token validation failure. Invalid audience.', requestId);
      if (token.expiresAt <= now())
        return toRefusal('Lifetime validation failed, the token is expired.', requestId);
      if (isUnmet(token)) {
        const claims = Buffer.from(JSON.stringify(challenges.get(token.user))).toString('base64');
        return toRefusal('Continuous access evaluation resulted in challenge.', requestId, [
          'Bearer realm=""',
          `authorization_uri="${authorityHost}/common/oauth2/authorize"`,
          'client_id="00000003-0000-0000-c000-000000000000"',
          'error="insufficient_claims"',
          `claims="${claims}"`,
        ]);
      }
      if (withoutRole.has(token.user)) {
        const message = 'User is not authorized to perform this operation';
        return toJsonAnswer(403, toIntuneError(403, requestId, { message, canary }));
      }
      return undefined;
    },
    challenge: (user, claims) => {
      if (claims === undefined) challenges.delete(user);
      else challenges.set(user, claims);
    },
    setRole: (user, hasRole) => {
      if (hasRole) withoutRole.delete(user);
      else withoutRole.add(user);
    },
  };
}

const toRefusal = (
  message: string,
  requestId: string,
  challenge = ['Bearer error="invalid_token"'],
): Answer =>
  toJsonAnswer(401, toGraphError(401, message, requestId), { 'www-authenticate': challenge.join(', ') });
