import type { CertificateAuthority } from './certificate-authority.ts';
import { OTHER_TENANT_ID, TENANT_ID } from './directory.ts';
import { createTokenIssuer, type IssueToken } from './entra/access-token.ts';
import { createClientRegistration, type ClientRegistration } from './entra/client-registration.ts';
import { createCredentialCheck } from './entra/client-credential.ts';
import { toEntraCommands } from './entra/commands.ts';
import { createGraphTokens, type GraphTokens } from './entra/graph-tokens.ts';
import { createEntraJournal, type EntraJournal } from './entra/journal.ts';
import { REFUSALS, type Refusal, type RefusalName } from './entra/refusal.ts';
import { createEntraRoutes } from './entra/routes.ts';
import { createSigningKeys, type SigningKeys } from './entra/signing-keys.ts';
import { createTokenEndpoint } from './entra/token-endpoint.ts';
import { createFaults, type Faults } from './fault/faults.ts';
import { answerWith } from './fault/strike.ts';
import { readControlAnswer } from './http/control.ts';
import { readIncoming } from './http/incoming.ts';
import { send } from './http/send.ts';
import { startServer, type Server } from './http/server.ts';

export type EntraOptions = Readonly<{
  ca: CertificateAuthority;
  /** Default 0: a free one. */
  port?: number;
  tenants?: readonly string[];
  /** Life of a Graph token in seconds; Entra's last 60 to 90 minutes. */
  graphTokenLifetimeSeconds?: number;
  /** Text put into every secret and token that this server makes, so that a leak shows. */
  canary?: string;
  now?: () => number;
}>;

export type Entra = Readonly<{
  /** Origin, for `AZURE_AUTHORITY_HOST`. */
  url: string;
  tenantId: string;
  issueToken: IssueToken;
  keys: SigningKeys;
  /** The app registration of the service: its credentials are made here. */
  client: ClientRegistration;
  /** A client secret, made at the start. */
  clientSecret: string;
  graphTokens: GraphTokens;
  /** Lets a Graph at this origin be asked for as `{origin}/.default`. */
  addResource: (origin: string) => void;
  /** Puts a refusal upon a user (`oid`, or `*` for all); `undefined` lifts it. */
  refuse: (user: string, refusal: RefusalName | Refusal | undefined) => void;
  faults: Faults;
  journal: EntraJournal;
  closeIdleConnections: Server['closeIdleConnections'];
  close: Server['close'];
}>;

/** A Microsoft Entra ID on loopback: metadata, keys, and the on-behalf-of grant with its checks and errors. */
export async function startEntra(options: EntraOptions): Promise<Entra> {
  const { ca, port = 0, tenants = [TENANT_ID, OTHER_TENANT_ID], canary = '', now = Date.now } = options;
  const keys = await createSigningKeys();
  const client = createClientRegistration(ca, { now, canary });
  const graphTokens = createGraphTokens(canary);
  const faults = createFaults();
  const journal = createEntraJournal();
  const resources = new Set<string>();
  const refusals = new Map<string, Refusal>();

  const refuse: Entra['refuse'] = (user, refusal) => {
    if (refusal === undefined) refusals.delete(user);
    else refusals.set(user, typeof refusal === 'string' ? REFUSALS[refusal] : refusal);
  };
  const authorityHost = (): string => server.url;
  const issueToken: IssueToken = (request) =>
    createTokenIssuer({ authorityHost: authorityHost(), currentKey: keys.current, now })(request);

  const answerTokenRequest = createTokenEndpoint({
    authorityHost,
    tenants: new Set(tenants),
    client,
    checkCredential: createCredentialCheck(client, now),
    keys: keys.all,
    graphTokens,
    resources,
    refusalOf: (user) => refusals.get(user) ?? refusals.get('*'),
    record: (entry) => journal.exchanges.push(entry),
    lifetimeSeconds: options.graphTokenLifetimeSeconds ?? 4800,
    now,
  });
  const toAct = createEntraRoutes({ authorityHost, tenants: new Set(tenants), keys, answerTokenRequest });
  const commands = toEntraCommands({ faults, journal, keys, refuse, issueToken, graphTokens });

  const server = await startServer({
    ca,
    port,
    handle: async (request, response) => {
      const incoming = await readIncoming(request);
      const control = await readControlAnswer(commands, incoming);
      if (control !== undefined) return send(response, control);
      const { operation, act } = toAct(incoming);
      if (operation !== 'other') journal.counts[operation] += 1;
      await answerWith(faults.take({ operation, user: undefined }), { response, act });
    },
  });

  return {
    url: server.url,
    tenantId: TENANT_ID,
    issueToken,
    keys,
    client,
    clientSecret: client.addSecret(),
    graphTokens,
    addResource: (origin) => resources.add(origin),
    refuse,
    faults,
    journal,
    closeIdleConnections: server.closeIdleConnections,
    close: server.close,
  };
}
