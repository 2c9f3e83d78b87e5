import { randomUUID } from 'node:crypto';
import { ServerResponse, STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** Statuses of what is refused below the API, where nothing is known of a route, a caller or a body. */
type BareStatus = 400 | 408 | 413 | 417 | 431;

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What every answer of this service carries (contract 5); the connection ends, for who knows what would come next on it. */
function toHeaders(requestId: unknown, clientRequestId: unknown) {
  const id = typeof requestId === 'string' ? requestId : randomUUID();
  return {
    Connection: 'close',
    'Content-Length': '0',
    'request-id': id,
    'client-request-id':
      typeof clientRequestId === 'string' && GUID.test(clientRequestId) ? clientRequestId : id,
    'Cache-Control': 'no-store',
  } as const;
}

/** Answers a request of which no more than the header was looked at. */
export function refuseBare(request: IncomingMessage, response: ServerResponse, status: BareStatus): void {
  response.writeHead(status, toHeaders(undefined, request.headers['client-request-id']));
  response.end();
}

/** As node:http maps them; `undefined` for an error of the connection or of TLS, over which there is nothing to say. */
function toStatus(code: unknown): BareStatus | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 413;
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return typeof code === 'string' && code.startsWith('HPE_') ? 400 : undefined;
}

/** The answer that the connection waits for: a property of node:http's own, which has no public name for it. */
function readAnswerUnderWay(socket: Duplex): ServerResponse | undefined {
  const answer: unknown = Reflect.get(socket, '_httpMessage');
  return answer instanceof ServerResponse ? answer : undefined;
}

/**
 * Ends a connection whose bytes are no request, or come too slowly (`clientError` of node:http). It is told so unless an
 * answer is under way: one that has begun, or one to a request that was complete and may have its effect.
 */
export function refuseUnreadable(error: Error, socket: Duplex): void {
  const status = toStatus(Reflect.get(error, 'code'));
  const answer = readAnswerUnderWay(socket);
  const isUnderWay = answer !== undefined && (answer.headersSent || answer.req.complete);
  if (status !== undefined && socket.writable && !isUnderWay) {
    const headers = toHeaders(answer?.getHeader('request-id'), answer?.getHeader('client-request-id'));
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
  }
  socket.destroy(error);
}
