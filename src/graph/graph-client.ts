import type { Mutable } from '../mutable.ts';
import type { Outbound, OutboundRequest } from '../outbound.ts';
import type { Secret } from '../secret.ts';
import { parseGraphAnswer, type GraphAnswer } from './graph-answer.ts';
import { toQueryText, type ListQuery } from './list-query.ts';
import type { Profile, ProfileSet } from './profile.ts';

/** What every call to Graph needs. */
export type GraphCallContext = Readonly<{
  token: Secret;
  /** A GUID; Intune's support finds the call by it. The only thing of the caller's headers that reaches Graph. */
  clientRequestId: string;
  /** No more than is left of the request's deadline. */
  timeoutMs: number;
  /** Ends the call before that. */
  signal?: AbortSignal;
}>;

/** Each rejects with OutboundError when there is no usable answer. */
export type GraphClient = Readonly<{
  /** `validitySeconds` is Graph's `tokenValidityInSeconds`. */
  createToken: (profile: Profile, validitySeconds: number, context: GraphCallContext) => Promise<GraphAnswer>;
  revokeToken: (profile: Profile, context: GraphCallContext) => Promise<GraphAnswer>;
  /** Reads the members named in `select` of one profile. */
  readProfile: (
    profile: Profile,
    select: readonly string[],
    context: GraphCallContext,
  ) => Promise<GraphAnswer>;
  /** Reads the members named in `select` of one page of profiles. */
  listProfiles: (
    set: ProfileSet,
    query: ListQuery,
    select: readonly string[],
    context: GraphCallContext,
  ) => Promise<GraphAnswer>;
}>;

/** `refused`: Graph said no; `failed`: it gave no usable answer. */
export type GraphCallResult = 'success' | 'refused' | 'failed';

type GraphClientOptions = Readonly<{
  send: Outbound;
  graphBaseUrl: string;
  /** Told of every call to Graph: how it ended, how many milliseconds it took. */
  onCall?: (result: GraphCallResult, durationMs: number) => void;
  now?: () => number;
}>;

function toResult(status: number): GraphCallResult {
  if (status >= 500) return 'failed';
  return status >= 400 ? 'refused' : 'success';
}

/** Requests to Graph, written from constants and checked values alone. */
export function createGraphClient({
  send,
  graphBaseUrl,
  onCall,
  now = Date.now,
}: GraphClientOptions): GraphClient {
  const root = `${graphBaseUrl}/beta/deviceManagement`;

  const call = async (
    { method, url, body }: Pick<OutboundRequest, 'method' | 'url' | 'body'>,
    { token, clientRequestId, timeoutMs, signal }: GraphCallContext,
  ): Promise<GraphAnswer> => {
    const startedAt = now();
    try {
      const headers: Record<string, string> = {
        authorization: `Bearer ${token.reveal()}`,
        accept: 'application/json',
        'client-request-id': clientRequestId,
      };
      const message: Mutable<OutboundRequest> = { method, url, headers, timeoutMs };
      if (signal) message.signal = signal;
      if (body !== undefined) {
        headers['content-type'] = 'application/json';
        message.body = body;
      }
      const response = await send(message);
      onCall?.(toResult(response.status), now() - startedAt);
      return parseGraphAnswer(response, now());
    } catch (error) {
      onCall?.('failed', now() - startedAt);
      throw error;
    }
  };

  return {
    createToken: ({ set, id }, validitySeconds, context) =>
      call(
        {
          method: 'POST',
          url: `${root}/${set}/${id.action}/createToken`,
          body: JSON.stringify({ tokenValidityInSeconds: validitySeconds }),
        },
        context,
      ),
    revokeToken: ({ set, id }, context) =>
      call({ method: 'POST', url: `${root}/${set}/${id.action}/revokeToken` }, context),
    readProfile: ({ set, id }, select, context) =>
      call({ method: 'GET', url: `${root}/${set}/${id.canonical}?$select=${select.join(',')}` }, context),
    listProfiles: (set, query, select, context) =>
      call({ method: 'GET', url: `${root}/${set}?${toQueryText(query, select)}` }, context),
  };
}
