import { randomUUID } from 'node:crypto';
import type { CertificateAuthority } from './certificate-authority.ts';
import type { Entra } from './entra.ts';
import type { GraphTokenRecord } from './entra/graph-tokens.ts';
import { createFaults, type Faults } from './fault/faults.ts';
import { answerWith } from './fault/strike.ts';
import { createAccess, type Access } from './graph/access.ts';
import { toGraphCommands } from './graph/commands.ts';
import { toGraphError, toIntuneError } from './graph/error-body.ts';
import { createGraphJournal, type GraphJournal, type RequestEntry } from './graph/journal.ts';
import { perform } from './graph/operations.ts';
import { createProfileStore, type ProfileStore } from './graph/profile-store.ts';
import { PROFILE_IDS } from './graph/profile.ts';
import { createQuota, PUBLISHED_QUOTA, type QuotaOptions } from './graph/quota.ts';
import { readGraphRoute } from './graph/routes.ts';
import { toJsonAnswer, type Answer } from './http/answer.ts';
import { readControlAnswer } from './http/control.ts';
import { readIncoming, type Incoming } from './http/incoming.ts';
import { send } from './http/send.ts';
import { startServer, type Server } from './http/server.ts';

export type GraphOptions = Readonly<{
  ca: CertificateAuthority;
  /** Whose tokens are good here. */
  entra: Pick<Entra, 'url' | 'graphTokens' | 'addResource'>;
  /** Default 0: a free one. */
  port?: number;
  /** Default: as published. `off` for load tests. */
  quota?: Partial<QuotaOptions> | 'off';
  /** Profiles on one page of a list. */
  pageSize?: number;
  /** Text put into every secret here and into Intune's error messages, so that a leak shows. */
  canary?: string;
  /** Where the journal is also written, one JSON object a line. */
  journalFile?: string;
  now?: () => number;
}>;

export type Graph = Readonly<{
  /** Origin, for `GRAPH_BASE_URL`. */
  url: string;
  profiles: typeof PROFILE_IDS;
  /** What stands in Intune: to look at it, or to change it behind the service's back. */
  store: ProfileStore;
  access: Access;
  faults: Faults;
  journal: GraphJournal;
  closeIdleConnections: Server['closeIdleConnections'];
  close: Server['close'];
}>;

/** A Microsoft Graph on loopback with Intune's enrollment profiles behind it. */
export async function startGraph(options: GraphOptions): Promise<Graph> {
  const { ca, entra, port = 0, quota = {}, pageSize = 100, canary = '', now = Date.now } = options;
  const faults = createFaults();
  const journal = createGraphJournal(options.journalFile);
  const store = createProfileStore({ now, canary });
  const access = createAccess({ audience: () => server.url, authorityHost: entra.url, canary, now });
  const quotaOptions = quota === 'off' ? undefined : { ...PUBLISHED_QUOTA, ...quota };
  const tokenQuota = quotaOptions && createQuota(quotaOptions, now);

  const throttle = (token: GraphTokenRecord, write: boolean, requestId: string): Answer | undefined => {
    const wait = tokenQuota?.charge(`${token.tenantId} ${token.clientId}`, write);
    if (wait === undefined) return undefined;
    const body = toIntuneError(429, requestId, { message: 'Too many requests', retryAfter: wait, canary });
    return toJsonAnswer(429, body, quotaOptions?.retryAfter ? { 'retry-after': String(wait) } : {});
  };

  const answer = (
    request: Incoming,
    token: GraphTokenRecord | undefined,
    entry: RequestEntry,
    stale: boolean,
  ): Answer => {
    const clientRequestId = readHeader(request, 'client-request-id');
    const requestId = clientRequestId ?? randomUUID();
    const route = readGraphRoute(request.method, request.path);
    if (token === undefined || route === undefined) {
      const missing = toJsonAnswer(400, toGraphError(400, 'Resource not found for the segment.', requestId));
      return access.refuse(token, requestId) ?? missing;
    }
    const { operation, set } = route;
    const write = operation === 'createToken' || operation === 'revokeToken';
    return (
      throttle(token, write, requestId) ??
      access.refuse(token, requestId) ??
      perform(route, request, {
        store,
        url: server.url,
        pageSize,
        canary,
        stale,
        requestId,
        commit: (commit) =>
          journal.addCommit({
            kind: 'commit',
            at: now(),
            ...commit,
            set,
            user: token.user,
            tenantId: token.tenantId,
            requestId: entry.requestId,
            ...(clientRequestId !== undefined && { clientRequestId }),
          }),
      })
    );
  };

  const server = await startServer({
    ca,
    port,
    handle: async (request, response) => {
      const incoming = await readIncoming(request);
      const control = await readControlAnswer(commands, incoming);
      if (control !== undefined) return send(response, control);

      const bearer = /^Bearer (.+)$/.exec(readHeader(incoming, 'authorization') ?? '')?.[1];
      const token = bearer === undefined ? undefined : entra.graphTokens.read(bearer);
      const operation = readGraphRoute(incoming.method, incoming.path)?.operation ?? 'other';
      const fault = faults.take({ operation, user: token?.user });
      const entry: RequestEntry = {
        kind: 'request',
        at: now(),
        operation,
        method: incoming.method,
        path: request.url ?? '/',
        headers: toJournalHeaders(incoming, token !== undefined),
        body: incoming.body,
        requestId: randomUUID(),
        ...(token && { user: token.user, tenantId: token.tenantId }),
        ...(fault && { fault: fault.kind }),
      };
      journal.addRequest(entry);
      const clientRequestId = readHeader(incoming, 'client-request-id');
      const ids = {
        'request-id': entry.requestId,
        ...(clientRequestId !== undefined && { 'client-request-id': clientRequestId }),
        date: new Date(now()).toUTCString(),
      };
      await answerWith(fault, {
        response,
        extraHeaders: ids,
        ...(clientRequestId !== undefined && { requestId: clientRequestId }),
        act: ({ stale }) => {
          const result = answer(incoming, token, entry, stale);
          entry.status = result.status;
          return result;
        },
      });
    },
  });
  const { closeIdleConnections } = server;
  const commands = toGraphCommands({ faults, journal, access, store, closeIdleConnections });
  entra.addResource(server.url);

  return {
    url: server.url,
    profiles: PROFILE_IDS,
    store,
    access,
    faults,
    journal,
    closeIdleConnections,
    close: async () => {
      await server.close();
      journal.close();
    },
  };
}

function readHeader({ headers }: Incoming, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

function toJournalHeaders({ headers }: Incoming, known: boolean): Readonly<Record<string, string>> {
  const entries = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]);
  const told = known ? '[a Graph token]' : '[not a Graph token]';
  return {
    ...Object.fromEntries(entries),
    ...(headers.authorization !== undefined && { authorization: told }),
  };
}
