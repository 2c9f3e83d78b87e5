import axios, { AxiosHeaders, type AxiosAdapter } from 'axios';
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

/**
 * The one place that knows axios. Everything axios would do by itself is off: redirects, decompression, status checks,
 * environment proxies, base URLs and transforms; its errors, which carry tokens, end here. Underneath, undici's
 * connection pool carries the bytes (see docs/decisions/outbound.md), since it alone can tell whether a request was written.
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
    ...(proxy && { proxy }),
    ...(ca !== undefined && { ca }),
  });
  const client = axios.create({
    maxRedirects: 0,
    decompress: false,
    proxy: false,
    validateStatus: null,
    transformRequest: [],
    transformResponse: [],
    responseType: 'text',
    headers: { 'accept-encoding': 'identity', 'user-agent': 'enrollment-token-bff' },
  });

  const send: Outbound = async (request) => {
    let reached = false;
    // Signal and time-out are the transport's: axios would turn an answer that came into an abort.
    const adapter: AxiosAdapter = async (config) => {
      reached = true;
      const { status, headers, body } = await transport.send({
        method: request.method,
        url: request.url,
        headers: config.headers.toJSON(),
        body: request.body,
        timeoutMs: request.timeoutMs ?? timeoutMs,
        signal: request.signal,
      });
      return { status, statusText: '', headers: new AxiosHeaders(headers), data: { headers, body }, config };
    };
    try {
      const { status, data } = await client.request<Omit<OutboundResponse, 'status'>>({
        adapter,
        method: request.method,
        url: request.url,
        // A POST without a body has no type either, whatever axios thinks of forms.
        headers: { 'content-type': false, ...request.headers },
        ...(request.body !== undefined && { data: request.body }),
      });
      return { status, ...data };
    } catch (error) {
      throw error instanceof OutboundError
        ? error
        : new OutboundError(reached ? 'lost' : 'not_sent', 'invalid_response');
    }
  };
  return { send, close: transport.close };
}
