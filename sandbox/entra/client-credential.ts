import { decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose';
import { z } from 'zod';
import { FEDERATION, type ClientRegistration } from './client-registration.ts';
import { RefusedError } from './refusal.ts';

export type CredentialKind = 'secret' | 'certificate' | 'federated';

export type CheckCredential = (form: URLSearchParams, tokenEndpoint: string) => Promise<CredentialKind>;

/** RFC 7523 section 2.2. */
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** Entra takes no client assertion that is valid for longer. */
const MAX_LIFETIME_SECONDS = 10 * 60;

const refuse = (code: number, message: string): RefusedError =>
  new RefusedError({ status: 401, error: 'invalid_client', codes: [code], message });

const AssertionClaims = z.object({ jti: z.string().min(1), exp: z.int(), nbf: z.int() });

/** Checks the credential of a token request as Entra does. Throws RefusedError `invalid_client`. */
export function createCredentialCheck(client: ClientRegistration, now: () => number): CheckCredential {
  /** Assertions already used and when they end, in seconds. */
  const used = new Map<string, number>();

  const verify = async (
    assertion: string,
    key: Parameters<typeof jwtVerify>[1],
    expected: Readonly<{ algorithm: string; audience: string; issuer: string; subject: string }>,
  ): Promise<JWTPayload> => {
    const { algorithm, ...rest } = expected;
    try {
      const options = { ...rest, algorithms: [algorithm], currentDate: new Date(now()) };
      return (await jwtVerify(assertion, key, options)).payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired || isTooEarly(error)) {
        throw refuse(700024, 'Client assertion is not within its valid time range.');
      }
      if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') {
        throw refuse(50027, 'Invalid JWT token: the audience is not the token endpoint.');
      }
      if (error instanceof errors.JWTClaimValidationFailed) {
        throw refuse(700021, 'Client assertion application identifier does not match client_id.');
      }
      throw refuse(700027, 'Client assertion failed signature validation.');
    }
  };

  const checkCertificate = async (assertion: string, thumbprint: string, endpoint: string): Promise<void> => {
    const certificate = client.certificates.find((one) => one.thumbprint === thumbprint);
    if (certificate === undefined) {
      throw refuse(
        700027,
        'The certificate with the identifier used to sign the client assertion is not registered.',
      );
    }
    const { clientId } = client;
    const payload = await verify(assertion, certificate.publicKey, {
      algorithm: 'PS256',
      audience: endpoint,
      issuer: clientId,
      subject: clientId,
    });
    const claims = AssertionClaims.safeParse(payload).data;
    if (claims === undefined) throw refuse(50027, 'Invalid JWT token: jti, nbf and exp are required.');
    const seconds = now() / 1000;
    if (claims.exp - seconds > MAX_LIFETIME_SECONDS) {
      throw refuse(700024, 'Client assertion is valid for longer than ten minutes.');
    }
    for (const [jti, end] of used) if (end < seconds) used.delete(jti);
    if (used.has(claims.jti)) throw refuse(700027, 'Client assertion was replayed.');
    used.set(claims.jti, claims.exp);
  };

  const checkFederated = async (assertion: string): Promise<void> => {
    const key = client.clusterKey();
    if (key === undefined) throw refuse(70021, 'No matching federated identity record found.');
    await verify(assertion, key.publicKey, { algorithm: 'RS256', ...FEDERATION });
  };

  return async (form, tokenEndpoint) => {
    const secret = form.get('client_secret');
    const assertion = form.get('client_assertion');
    if (secret !== null) {
      if (!client.secrets.has(secret)) throw refuse(7000215, 'Invalid client secret provided.');
      return 'secret';
    }
    if (assertion === null) {
      throw refuse(7000218, "The request body must contain 'client_assertion' or 'client_secret'.");
    }
    if (form.get('client_assertion_type') !== ASSERTION_TYPE) {
      throw refuse(7000218, "The request body must contain 'client_assertion_type'.");
    }
    const thumbprint = readThumbprint(assertion);
    if (thumbprint === undefined) {
      await checkFederated(assertion);
      return 'federated';
    }
    await checkCertificate(assertion, thumbprint, tokenEndpoint);
    return 'certificate';
  };
}

function readThumbprint(assertion: string): string | undefined {
  try {
    const thumbprint = decodeProtectedHeader(assertion)['x5t#S256'];
    return typeof thumbprint === 'string' ? thumbprint : undefined;
  } catch {
    throw refuse(50027, 'Invalid JWT token: the client assertion is malformed.');
  }
}

const isTooEarly = (error: unknown): boolean =>
  error instanceof errors.JWTClaimValidationFailed &&
  error.claim === 'nbf' &&
  error.reason === 'check_failed';
