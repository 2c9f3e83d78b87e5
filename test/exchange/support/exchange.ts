import { createCertificateAuthority } from '../../../sandbox/certificate-authority.ts';
import { CLIENT_ID } from '../../../sandbox/directory.ts';
import { startEntra, type EntraOptions } from '../../../sandbox/entra.ts';
import { createClaimsChallenge } from '../../../src/exchange/claims-challenge.ts';
import { createCredential } from '../../../src/exchange/credential.ts';
import { createExchange } from '../../../src/exchange/on-behalf-of.ts';
import { createLogger } from '../../../src/log.ts';
import { createOutbound } from '../../../src/outbound.ts';
import { Secret } from '../../../src/secret.ts';
import type { CredentialSource } from '../../../src/settings/credential-source.ts';
import { toCaller } from './caller.ts';

export const GRAPH = 'https://graph.sandbox.example';

/** A test, or the whole file (`{ after }` of node:test). */
type Ending = Readonly<{ after: (end: () => Promise<void>) => void }>;

type Options = Readonly<{
  entra?: Omit<EntraOptions, 'ca'>;
  source?: CredentialSource;
  enableCae?: boolean;
  /** For one call. Default: longer than any takes on a busy machine. */
  timeoutMs?: number;
  /** Trusts nobody's certificate but the public ones. */
  distrust?: boolean;
}>;

/** The exchange against a sandbox Entra, without a cache. */
export async function startExchange(t: Ending, options: Options = {}) {
  const ca = await createCertificateAuthority();
  const entra = await startEntra({ ca, ...options.entra });
  entra.addResource(GRAPH);
  const outbound = createOutbound({
    timeoutMs: options.timeoutMs ?? 60_000,
    ...(options.distrust !== true && { ca: ca.caPem }),
  });
  t.after(async () => {
    await outbound.close();
    await entra.close();
  });
  const lines: string[] = [];
  const results: string[] = [];
  const failures: unknown[] = [];
  const exchange = createExchange({
    send: outbound.send,
    authorityHost: entra.url,
    graphBaseUrl: GRAPH,
    clientId: CLIENT_ID,
    credential: createCredential({
      source: options.source ?? { kind: 'secret', secret: new Secret(entra.clientSecret) },
      clientId: CLIENT_ID,
      onFailure: (error) => failures.push(error),
    }),
    toClaimsChallenge: createClaimsChallenge({ authorityHost: entra.url, clientId: CLIENT_ID }),
    enableCae: options.enableCae ?? false,
    log: createLogger({ level: 'debug', write: (line) => lines.push(line) }),
    onExchange: (result) => results.push(result),
  });
  return {
    entra,
    exchange,
    results,
    failures,
    logged: () => lines.join(''),
    /** Takes faults, refusals and everything noted away. */
    reset: () => {
      entra.faults.clear();
      entra.refuse('*', undefined);
      entra.journal.clear();
      results.length = 0;
      lines.length = 0;
    },
    newCaller: async () => {
      const assertion = await entra.issueToken();
      return toCaller({ assertion, expiresAt: Date.now() + 60_000 });
    },
  };
}
