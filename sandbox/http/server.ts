import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { CertificateAuthority } from '../certificate-authority.ts';

export type Server = Readonly<{
  /** `https://127.0.0.1:PORT` */
  url: string;
  /** Ends every connection that waits for its next request, as a server may do at any time. */
  closeIdleConnections: () => void;
  /** Ends every connection at once, those that hang on a fault too. */
  close: () => Promise<void>;
}>;

export type ServerOptions = Readonly<{
  ca: CertificateAuthority;
  /** 0 picks a free one. */
  port: number;
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}>;

/** Longer than any test or pool waits, so that no connection ends by itself. */
const KEEP_ALIVE_MS = 10 * 60_000;

/** An HTTPS server on loopback. Rejects with Node's own error when the port is taken (`EADDRINUSE`). */
export async function startServer({ ca, port, handle }: ServerOptions): Promise<Server> {
  const sockets = new Set<Duplex>();
  const server = createServer(
    { ...(await ca.issue()), keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      handle(request, response).catch(() => request.socket.destroy());
    },
  );
  server.requestTimeout = 0;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => undefined);

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');

  return {
    url: `https://127.0.0.1:${address.port}`,
    closeIdleConnections: () => server.closeIdleConnections(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
