import axios, { AxiosHeaders, type AxiosAdapter, type AxiosResponse } from 'axios';
import { OutboundError } from './outbound-error.ts';
import { createUndiciTransport, type ProxyRoute } from './undici-transport.ts';

export { OutboundError, type OutboundFailure } from './outbound-error.ts';

export type OutboundRequest = Readonly<{
  method: 'GET' | 'POST';
  /** Absolute https URL, built from constants and checked values only. */
  url: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** Milliseconds for the whole call, connection and body included; default: the outbound's own. */
  timeoutMs?: number;
  /** Ends the call early (the deadline of the request). */
  signal?: AbortSignal;
}>;

export type OutboundResponse = Readonly<{
  status: number;
  /** Lower-case names; a name that came several times is joined as RFC 9110 section 5.3 says. */
  headers: Readonly<Record<string, string>>;
  /** Decoded as UTF-8; the empty string where it has a content coding (none is asked for) or is larger than accepted. */
  body: string;
}>;

/** One HTTPS call: resolves for every status (no redirect is followed, a 500 is an answer), rejects with OutboundError. */
export type Outbound = (request: OutboundRequest) => Promise<OutboundResponse>;

export type OutboundOptions = Readonly<{
  /** Milliseconds for one call that names no other. */
  timeoutMs: number;
  /** Bytes of body accepted; of a larger one nothing is kept. */
  maxBytes?: number;
  /** Connections to one host. */
  maxSockets?: number;
  /** The way out, where there is one. */
  proxy?: ProxyRoute;
  /** Certificates to trust (PEM) instead of Node's own; the tests' sandbox has an authority of its own. */
  ca?: string;
}>;

/** Sent with every call; no coding is asked for, since none is undone. */
const OWN_HEADERS = { 'accept-encoding': 'identity', 'user-agent': 'enrollment-token-bff' };

/**
 * The one place that knows axios. An instance without axios' own defaults, and an adapter for each call: redirects,
 * decompression, status checks, environment proxies, base URLs and transforms of axios do not take part, headers and body reach
 * no copy of its configuration, and its errors end here. Underneath, undici's connection pool carries the bytes (see
 * docs/decisions/outbound.md), since it alone can tell whether a request was written.
 */
export function createOutbound({
  timeoutMs,
  maxBytes = 256 * 1024,
  maxSockets = 256,
  proxy,
  ca,
}: OutboundOptions): Readonly<{ send: Outbound; close: () => Promise<void> }> {
  const transport = createUndiciTransport({
    maxBytes,
    maxSockets,
    // undici's own 10 s alone would end a call that may last longer.
    connectTimeoutMs: Math.max(timeoutMs, 10_000),
    ...(proxy && { proxy }),
    ...(ca !== undefined && { ca }),
  });
  const client = new axios.Axios({ transformRequest: [], transformResponse: [] });
  const noHeaders = new AxiosHeaders();

  const send: Outbound = async (request) => {
    let reached = false;
    // Signal and time-out are the transport's: axios would turn an answer that came into an abort.
    const adapter: AxiosAdapter = async (config) => {
      reached = true;
      const data = await transport.send({
        method: request.method,
        url: request.url,
        headers: Object.assign({}, OWN_HEADERS, request.headers),
        body: request.body,
        timeoutMs: request.timeoutMs ?? timeoutMs,
        signal: request.signal,
      });
      return { status: data.status, statusText: '', headers: noHeaders, data, config };
    };
    try {
      const { method, url } = request;
      const { data } = await client.request<OutboundResponse, AxiosResponse<OutboundResponse>>({
        adapter,
        method,
        url,
      });
      return data;
    } catch (error) {
      throw error instanceof OutboundError
        ? error
        : new OutboundError(reached ? 'lost' : 'not_sent', 'invalid_response');
    }
  };
  return { send, close: transport.close };
}
