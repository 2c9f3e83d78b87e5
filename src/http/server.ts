import {
  createServer as createHttpServer,
  IncomingMessage,
  ServerResponse,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { Express } from 'express';
import { refuseBare, refuseUnreadable } from './bare-refusal.ts';
import { countHeader } from './count-header.ts';

/** Certificate chain and key in PEM. */
export type TlsMaterial = Readonly<{ cert: string; key: string }>;

/** Times, sizes and numbers within which node:http listens to a client. */
export const HARDENING = {
  /** Bytes; room for the longest token that is looked at (16 KiB), so that a longer one is told so, and for as much beside it. */
  maxHeaderSize: 32 * 1024,
  /** Milliseconds for the header section, and for the whole request. */
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 1000,
  /** Milliseconds; longer than the 60 s for which common ingresses keep idle connections, so that they close first. */
  keepAliveTimeout: 65_000,
  insecureHTTPParser: false,
} as const satisfies ServerOptions;

export type PublicServerOptions = Readonly<{
  /** HTTPS; without it HTTP, behind an ingress. */
  tls?: TlsMaterial;
  hardening?: ServerOptions;
  /** While it holds, every answer ends its connection: the server closes what stays open once nothing is under way. */
  isDraining?: () => boolean;
}>;

/**
 * Request and response classes that already have Express's prototypes, so that Express's change of prototypes on every
 * request finds nothing to change (measured: more than half of the cost of a small handler).
 */
function toExpressClasses(app: Express, isDraining: () => boolean) {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse extends ServerResponse {}
  // Of its own: the app has a `writeHead` too, which would take this one's place in the class that it is copied to.
  class PublicResponse extends ExpressResponse {
    /** Every answer goes through here, also one whose request came before the stop. */
    override writeHead(
      status: number,
      reason?: string | OutgoingHttpHeaders | OutgoingHttpHeader[],
      headers?: OutgoingHttpHeaders | OutgoingHttpHeader[],
    ): this {
      if (isDraining()) this.shouldKeepAlive = false;
      return typeof reason === 'string'
        ? super.writeHead(status, reason, headers)
        : super.writeHead(status, reason ?? headers);
    }
  }
  for (const [{ prototype }, methods] of [
    [ExpressRequest, app.request],
    [ExpressResponse, app.response],
  ] as const) {
    // app.request inherits from express.request, which holds the methods.
    for (const source of [Object.getPrototypeOf(methods), methods]) {
      Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(source));
    }
  }
  Object.assign(app, { request: ExpressRequest.prototype, response: PublicResponse.prototype });
  return { IncomingMessage: ExpressRequest, ServerResponse: PublicResponse };
}

/** The path of an absolute-form target, which a server has to accept (RFC 9112 section 3.2.2); any other target as it is. */
function toOriginForm(target: string): string {
  const path = /^https?:\/\/[^/?#]*(.*)$/is.exec(target)?.[1] ?? target;
  return path.startsWith('/') || path === '*' ? path : `/${path}`;
}

/**
 * What node:http lets through although RFC 9112 (sections 3.2 and 6.1) does not. That a Host is there it would see for itself,
 * but refuse without the ids of the request.
 */
function isWellFormed({ rawHeaders, headers, httpVersion }: IncomingMessage): boolean {
  const hosts = countHeader(rawHeaders, 'host');
  const coding = headers['transfer-encoding'];
  return (
    (hosts === 1 || (hosts === 0 && httpVersion !== '1.1')) &&
    (coding === undefined || coding.toLowerCase() === 'chunked')
  );
}

/** Lets only well-formed requests reach the API. */
const refuseMalformed =
  (app: Express): RequestListener =>
  (request, response) => {
    if (!isWellFormed(request)) return refuseBare(request, response, 400);
    request.url = toOriginForm(request.url ?? '');
    return app(request, response);
  };

/** An `Expect` other than 100-continue (RFC 9110 section 10.1.1). */
const refuseExpectation: RequestListener = (request, response) =>
  refuseBare(request, response, isWellFormed(request) ? 417 : 400);

/** The public server, not listening yet. */
export function createPublicServer(
  app: Express,
  { tls, hardening = HARDENING, isDraining = () => false }: PublicServerOptions = {},
): Server | HttpsServer {
  const options = { ...hardening, ...toExpressClasses(app, isDraining), requireHostHeader: false };
  const listener = refuseMalformed(app);
  const server = tls
    ? createHttpsServer({ ...options, ...tls, minVersion: 'TLSv1.2' }, listener)
    : createHttpServer(options, listener);
  // Bounded by their size. With a bound on their number, a second Host behind it would go unseen.
  server.maxHeadersCount = 0;
  server.on('checkExpectation', refuseExpectation).on('clientError', refuseUnreadable);
  return server;
}
