import { createServer, type Server } from 'node:http';
import { createAdminListener, type AdminParts } from './admin-listener.ts';

/** Milliseconds; a probe is one small request, and whoever is slower than this is not probing. */
const REQUEST_TIMEOUT_MS = 5000;

/** A server for probes and metrics that slow, large and many requests do not tie up. */
export function createAdminServer(parts: AdminParts): Server {
  const server = createServer(
    {
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
      maxHeaderSize: 8 * 1024,
      requireHostHeader: true,
    },
    createAdminListener(parts),
  );
  server.maxConnections = 100;
  server.maxRequestsPerSocket = 1000;
  return server;
}
