import { randomUUID } from 'node:crypto';
import type { GraphTokenRecord, GraphTokens } from '../entra/graph-tokens.ts';
import type { Incoming } from '../http/incoming.ts';
import { readGraphRoute, type GraphRoute } from './routes.ts';

/** A request to Graph, with what its head tells. */
export type Call = Readonly<{
  request: Incoming;
  /** `undefined` for a path or method that Graph does not know. */
  route: GraphRoute | undefined;
  /** `undefined` when the token is none of Graph's. */
  token: GraphTokenRecord | undefined;
  /** Graph's own id of the request. */
  requestId: string;
  /** The client's, if it sent one. */
  clientRequestId: string | undefined;
}>;

export function toCall(request: Incoming, tokens: GraphTokens): Call {
  const bearer = /^Bearer (.+)$/.exec(readHeader(request, 'authorization') ?? '')?.[1];
  return {
    request,
    route: readGraphRoute(request.method, request.path),
    token: bearer === undefined ? undefined : tokens.read(bearer),
    requestId: randomUUID(),
    clientRequestId: readHeader(request, 'client-request-id'),
  };
}

function readHeader({ headers }: Incoming, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}
