import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Metrics } from './metrics.ts';

export type AdminParts = Readonly<{
  metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** Names of what is not ready; empty when requests can be served. */
  isReady: () => readonly string[];
}>;

type Answer = Readonly<{
  status: number;
  type: string;
  body: string;
  headers?: Readonly<Record<string, string>>;
}>;

function json(status: number, value: object, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, type: 'application/json', body: JSON.stringify(value), headers };
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, type, body, headers }: Answer,
): void {
  response.writeHead(status, {
    'Cache-Control': 'no-store',
    'Content-Length': Buffer.byteLength(body),
    'Content-Security-Policy': "default-src 'none'",
    'Content-Type': type,
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Probes and metrics, nothing else: no route of the service is reached through here. */
export function createAdminListener({ metrics, isReady }: AdminParts): RequestListener {
  const routes: Readonly<Record<string, () => Answer | Promise<Answer>>> = {
    '/livez': () => json(200, { status: 'ok' }),
    '/readyz': () => {
      const notReady = isReady();
      return notReady.length === 0
        ? json(200, { status: 'ok' })
        : json(503, { status: 'unavailable', notReady });
    },
    '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
  };

  async function answer({ url = '', method = '' }: IncomingMessage): Promise<Answer> {
    const [path = ''] = url.split('?', 1);
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) return json(404, { status: 'not found' });
    if (method !== 'GET' && method !== 'HEAD') {
      return json(405, { status: 'method not allowed' }, { Allow: 'GET, HEAD' });
    }
    return route();
  }

  return (request, response) => {
    request.resume();
    answer(request)
      .catch(() => json(500, { status: 'failed' }))
      .then((result) => send(request, response, result))
      .catch(() => response.destroy());
  };
}
