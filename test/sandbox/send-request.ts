import { request, type Agent } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';

export type Sent = Readonly<{
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  informational: readonly number[];
}>;

export type RequestOptions = Readonly<{
  ca: string;
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, URLSearchParams as a form. */
  body?: URLSearchParams | Readonly<Record<string, unknown>>;
  agent?: Agent;
  signal?: AbortSignal;
}>;

/** One HTTPS request as it is, without retries or redirects. Rejects with Node's own error. */
export function sendRequest(url: string, options: RequestOptions): Promise<Sent> {
  const {
    ca,
    method = options.body === undefined ? 'GET' : 'POST',
    headers = {},
    body,
    agent,
    signal,
  } = options;
  const isForm = body instanceof URLSearchParams;
  const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
  return new Promise((resolve, reject) => {
    const informational: number[] = [];
    const sent = request(
      url,
      {
        ca,
        method,
        headers: { ...(body !== undefined && { 'content-type': type }), ...headers },
        ...(agent && { agent }),
        ...(signal && { signal }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
            informational,
          }),
        );
      },
    );
    sent.on('information', ({ statusCode }) => informational.push(statusCode));
    sent.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '', informational });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : isForm ? body.toString() : JSON.stringify(body));
  });
}
