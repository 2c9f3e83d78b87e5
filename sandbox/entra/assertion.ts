import { decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { toV1Issuer, toV2Issuer } from './authority.ts';
import { RefusedError } from './refusal.ts';
import type { SigningKey } from './signing-keys.ts';

export type AssertedUser = Readonly<{ objectId: string; tenantId: string }>;

export type AssertionOptions = Readonly<{
  authorityHost: string;
  /** The tenant of the endpoint. */
  tenantId: string;
  audiences: readonly string[];
  keys: readonly SigningKey[];
  now: number;
}>;

const Claims = z.object({ oid: z.string(), tid: z.string(), scp: z.string().min(1) });

const refuse = (code: number, message: string): RefusedError =>
  new RefusedError({ error: 'invalid_grant', codes: [code], message });

/** Checks the caller's token that is to be exchanged as Entra does. Throws RefusedError `invalid_grant`. */
export async function verifyAssertion(assertion: string, options: AssertionOptions): Promise<AssertedUser> {
  const { authorityHost, tenantId, audiences, keys, now } = options;
  const key = keys.find(({ kid }) => kid === readKid(assertion));
  if (key === undefined) throw refuse(50013, 'Assertion failed signature validation: the key was not found.');
  try {
    const { payload } = await jwtVerify(assertion, key.publicKey, {
      algorithms: ['RS256'],
      audience: [...audiences],
      issuer: [toV1Issuer(tenantId), toV2Issuer(authorityHost, tenantId)],
      currentDate: new Date(now),
    });
    const claims = Claims.safeParse(payload).data;
    if (claims === undefined)
      throw refuse(7000114, 'App-only tokens and id tokens cannot be exchanged on-behalf-of.');
    if (claims.tid !== tenantId) throw refuse(50013, 'Assertion is from another tenant.');
    return { objectId: claims.oid, tenantId: claims.tid };
  } catch (error) {
    throw toRefused(error);
  }
}

function readKid(assertion: string): string | undefined {
  try {
    return decodeProtectedHeader(assertion).kid;
  } catch {
    throw refuse(50027, 'Invalid JWT token: the assertion is malformed.');
  }
}

function toRefused(error: unknown): unknown {
  if (error instanceof errors.JWTExpired)
    return refuse(500133, 'Assertion is not within its valid time range.');
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf') return refuse(500133, 'Assertion is not within its valid time range.');
    if (error.claim === 'aud') {
      return refuse(500131, 'Assertion audience does not match the Client app presenting the assertion.');
    }
    return refuse(50013, 'Assertion failed validation: the issuer is another.');
  }
  return error instanceof errors.JOSEError ? refuse(50013, 'Assertion failed signature validation.') : error;
}
