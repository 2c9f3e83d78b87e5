import { Agent, EnvHttpProxyAgent, type Dispatcher } from 'undici';
import { OutboundError, type OutboundFailure } from './outbound-error.ts';
import { readErrorCode, toFailure } from './outbound-failure.ts';
import type { OutboundResponse } from './outbound.ts';
import type { Secret } from './secret.ts';

/** The proxy of HTTPS_PROXY (its URL may hold a password) and the hosts of NO_PROXY. */
export type ProxyRoute = Readonly<{ httpsProxy: Secret; noProxy: readonly string[] }>;

type TransportOptions = Readonly<{
  maxBytes: number;
  maxSockets: number;
  /** Milliseconds for one connection, which several calls may wait for. */
  connectTimeoutMs: number;
  proxy?: ProxyRoute;
  ca?: string;
}>;

type TransportRequest = Readonly<{
  method: 'GET' | 'POST';
  url: string;
  headers: NonNullable<Dispatcher.DispatchOptions['headers']>;
  body: string | undefined;
  timeoutMs: number;
  signal: AbortSignal | undefined;
}>;

/** Milliseconds that an idle connection is kept, unless the server's Keep-Alive hint is shorter. */
const IDLE_CONNECTION_MS = 30_000;

function toHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
}

const isPlain = (coding: string | undefined): boolean => coding === undefined || coding === 'identity';

const isTooLarge = (error: Error): boolean => readErrorCode(error) === 'UND_ERR_RES_EXCEEDED_MAX_SIZE';

/**
 * HTTPS over kept-alive connections. undici calls `onRequestStart` right before it writes a request to a socket that is
 * connected and through its TLS handshake: what fails earlier was certainly not sent.
 */
export function createUndiciTransport({
  maxBytes,
  maxSockets,
  connectTimeoutMs,
  proxy,
  ca,
}: TransportOptions) {
  const tls = { timeout: connectTimeoutMs, ...(ca !== undefined && { ca }) };
  const options = {
    connections: maxSockets,
    pipelining: 1,
    keepAliveTimeout: IDLE_CONNECTION_MS,
    maxResponseSize: maxBytes,
    // One timer of ours covers the whole call.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    connect: tls,
    requestTls: tls,
    proxyTls: { timeout: connectTimeoutMs },
  };
  const dispatcher: Dispatcher = proxy
    ? new EnvHttpProxyAgent({
        ...options,
        httpProxy: '',
        httpsProxy: proxy.httpsProxy.reveal(),
        noProxy: proxy.noProxy.join(','),
      })
    : new Agent(options);

  const send = ({ method, url, headers, body, timeoutMs, signal }: TransportRequest) =>
    new Promise<OutboundResponse>((resolve, reject) => {
      const { origin, pathname, search } = new URL(url);
      let started: Dispatcher.DispatchController | undefined;
      let ended = false;
      let status = 0;
      let answerHeaders: Record<string, string> = {};
      const chunks: Buffer[] = [];

      const end = () => {
        ended = true;
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const answer = (text: string) => {
        if (ended) return;
        end();
        resolve({ status, headers: answerHeaders, body: text });
      };
      const fail = (reason: OutboundFailure) => {
        if (ended) return;
        end();
        const error = new OutboundError(started ? 'lost' : 'not_sent', reason);
        reject(error);
        started?.abort(error);
      };
      const onAbort = () => fail('aborted');
      const timer = setTimeout(fail, timeoutMs, 'timeout');
      if (signal?.aborted) return fail('aborted');
      signal?.addEventListener('abort', onAbort, { once: true });

      dispatcher.dispatch(
        { origin, path: pathname + search, method, headers, body: body ?? null },
        {
          onRequestStart(controller) {
            // Given up while it waited for a connection: not one byte is written.
            if (ended) controller.abort(new OutboundError('not_sent', 'aborted'));
            else started = controller;
          },
          onResponseStart(_controller, statusCode, received) {
            // 103 and its like come before the answer and mean nothing here.
            if (statusCode < 200) return;
            status = statusCode;
            answerHeaders = toHeaders(received);
          },
          onResponseData(_controller, chunk) {
            chunks.push(chunk);
          },
          onResponseEnd() {
            answer(isPlain(answerHeaders['content-encoding']) ? Buffer.concat(chunks).toString() : '');
          },
          onResponseError(_controller, error) {
            // The status has come, and no body that is worth reading is that large.
            if (isTooLarge(error)) answer('');
            else fail(toFailure(error, started !== undefined));
          },
          onRequestUpgrade(_controller, _statusCode, _headers, socket) {
            socket.destroy();
            fail('informational');
          },
        },
      );
    });

  return { send, close: () => dispatcher.destroy() };
}
