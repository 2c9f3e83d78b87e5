import type { CertificateAuthority } from './certificate-authority.ts';
import type { Entra } from './entra.ts';
import { createFaults, type Faults } from './fault/faults.ts';
import { answerWith } from './fault/strike.ts';
import { createAccess, type Access } from './graph/access.ts';
import { toCall, type Call } from './graph/call.ts';
import { toGraphCommands } from './graph/commands.ts';
import { toRequestEntry } from './graph/journal-entries.ts';
import { createGraphJournal, type GraphJournal } from './graph/journal.ts';
import { createPerform } from './graph/operations.ts';
import { createProfileStore, type ProfileStore } from './graph/profile-store.ts';
import { PROFILE_IDS } from './graph/profile.ts';
import { createThrottle, type ThrottleSetting } from './graph/throttle.ts';
import { readControlAnswer } from './http/control.ts';
import { readIncoming } from './http/incoming.ts';
import { send } from './http/send.ts';
import { startServer, type Server } from './http/server.ts';

export type GraphOptions = Readonly<{
  ca: CertificateAuthority;
  /** Whose tokens are good here. */
  entra: Pick<Entra, 'url' | 'graphTokens' | 'addResource'>;
  /** Default 0: a free one. */
  port?: number;
  quota?: ThrottleSetting;
  /** Profiles on one page of a list. */
  pageSize?: number;
  /** Text put into every secret here and into Intune's error messages, so that a leak shows. */
  canary?: string;
  /** Where the journal is also written, one JSON object a line. */
  journalFile?: string;
  now?: () => number;
  /** What the fault `delay` waits by; default: a timer. */
  wait?: (milliseconds: number) => Promise<unknown>;
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
  const url = (): string => server.url;
  const faults = createFaults();
  const journal = createGraphJournal(options.journalFile);
  const store = createProfileStore({ now, canary });
  const access = createAccess({ audience: url, authorityHost: entra.url, canary, now });
  const throttle = createThrottle(quota, { canary, now });
  const perform = createPerform({ store, access, throttle, journal, url, pageSize, canary, now });

  const server = await startServer({
    ca,
    port,
    handle: async (request, response) => {
      const incoming = await readIncoming(request);
      const control = await readControlAnswer(commands, incoming);
      if (control !== undefined) return send(response, control);

      const call = toCall(incoming, entra.graphTokens);
      const fault = faults.take({ operation: call.route?.operation ?? 'other', user: call.token?.user });
      const entry = toRequestEntry(call, { at: now(), url: request.url ?? '/', fault: fault?.kind });
      journal.addRequest(entry);
      await answerWith(fault, {
        response,
        extraHeaders: toIdHeaders(call, now()),
        requestId: call.clientRequestId,
        wait: options.wait,
        act: (mode) => {
          const answer = perform(call, mode);
          entry.status = answer.status;
          return answer;
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

const toIdHeaders = ({ requestId, clientRequestId }: Call, now: number) => ({
  'request-id': requestId,
  ...(clientRequestId !== undefined && { 'client-request-id': clientRequestId }),
  date: new Date(now).toUTCString(),
});
