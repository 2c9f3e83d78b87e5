import type { KeyObject } from 'node:crypto';
import { Passport } from 'passport';
// Not the package's main module: that also loads the OpenID Connect strategy, 15 MB that are never used.
import BearerStrategy, { type BearerOptions, type Metadata } from 'passport-azure-ad/lib/bearerstrategy.js';

/** What one token is checked against. */
export type BearerCheck = Readonly<{
  /** Of a shape that was checked before: the library trusts what it decodes. */
  token: string;
  key: KeyObject;
  /** Accepted values of `iss`, of `aud`, and of which `scp` must hold one. None may be empty. */
  issuers: readonly string[];
  audiences: readonly string[];
  scopes: readonly string[];
}>;

/** Whether passport-azure-ad accepts the token. Times are not its business: it reads a clock of its own. */
export type VerifyBearer = (check: BearerCheck) => Promise<boolean>;

/** Two thousand years: passport-azure-ad cannot be told to ignore `nbf`, only to tolerate it. */
const TOLERATE_EVERY_TIME = 2_000 * 366 * 24 * 3_600;

/**
 * The prescribed strategy, fenced in (docs/decisions/passport-azure-ad.md). One instance serves one token, so nothing is
 * shared between requests and nothing is remembered. Its own loading of metadata and keys never runs; algorithm and key
 * are ours, whatever the header of the token asks for.
 */
class OneTokenStrategy extends BearerStrategy {
  readonly #metadata: Metadata;

  constructor(clientId: string, { key, issuers, audiences, scopes }: BearerCheck) {
    const options: BearerOptions = {
      // Never fetched, but demanded: https, and not of the "common" endpoint.
      identityMetadata: 'https://metadata.invalid/.well-known/openid-configuration',
      clientID: clientId,
      audience: [...audiences],
      issuer: [...issuers],
      scope: [...scopes],
      validateIssuer: true,
      allowMultiAudiencesInToken: false,
      passReqToCallback: false,
      loggingNoPII: true,
      ignoreExpiration: true,
      clockSkew: TOLERATE_EVERY_TIME,
    };
    super(options, (_payload, done) => {
      done(null, {});
    });
    this.#metadata = {
      oidc: { issuer: issuers.join(' '), algorithms: ['RS256'] },
      generateOidcPEM: () => key,
    };
  }

  override loadMetadata(_parameters: unknown, done: (error: null, metadata: Metadata) => void): void {
    done(null, this.#metadata);
  }
}

export function createVerifyBearer(clientId: string): VerifyBearer {
  // An instance of its own: the one that the package exports is shared by the whole process.
  const passport = new Passport();

  return (check) =>
    new Promise((resolve, reject) => {
      const authenticate = passport.authenticate(
        new OneTokenStrategy(clientId, check),
        { session: false },
        (error: unknown, user: unknown) => {
          if (error === null || error === undefined) resolve(typeof user === 'object' && user !== null);
          else reject(new Error('passport failed', { cause: error }));
        },
      );
      // All that the strategy gets to see of the request: no body, no query, one header.
      authenticate({ headers: { authorization: `Bearer ${check.token}` } }, {}, reject);
    });
}
