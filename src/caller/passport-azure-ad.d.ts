/** The part of the package (which ships no types) that bearer-strategy.ts stands on, as read in its source, version 4.3.5. */
declare module 'passport-azure-ad/lib/bearerstrategy.js' {
  import type { KeyObject } from 'node:crypto';
  import type { Strategy } from 'passport';

  type BearerOptions = {
    identityMetadata: string;
    clientID: string;
    audience: string[];
    issuer: string[];
    scope: string[];
    validateIssuer: true;
    allowMultiAudiencesInToken: false;
    passReqToCallback: false;
    loggingNoPII: true;
    ignoreExpiration: boolean;
    /** Seconds. */
    clockSkew: number;
  };

  type Metadata = Readonly<{
    oidc: Readonly<{ issuer: string; algorithms: readonly string[] }>;
    /** Asked with `x5t`, else `kid`, of the token's header. The key is handed to node:crypto as it is. */
    generateOidcPEM: (id: string) => KeyObject;
  }>;

  class BearerStrategy extends Strategy {
    constructor(
      options: BearerOptions,
      verify: (payload: unknown, done: (error: unknown, user: object | false) => void) => void,
    );
    loadMetadata(parameters: unknown, done: (error: Error | null, metadata?: Metadata) => void): void;
  }

  namespace BearerStrategy {
    export { BearerOptions, Metadata };
  }
  export = BearerStrategy;
}
