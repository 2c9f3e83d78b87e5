import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import { createCertificateAuthority } from '../../sandbox/certificate-authority.ts';

export type TlsScript = Readonly<{
  url: string;
  caPem: string;
  /** Every request that arrived, as text. */
  requests: readonly string[];
  /** TLS connections made. */
  connections: () => number;
  /** Ends every connection, and waits until the other side did so, too. */
  endConnections: () => Promise<void>;
}>;

/** A TLS server that answers each request (a head with a short body in one write) as told, byte for byte. */
export async function startTlsScript(
  t: TestContext,
  answer: (socket: TLSSocket, request: string, index: number) => void,
): Promise<TlsScript> {
  const ca = await createCertificateAuthority();
  const requests: string[] = [];
  const sockets = new Set<TLSSocket>();
  let connections = 0;
  const server = createServer(await ca.issue(), (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      const text = chunk.toString();
      // A body that comes in a packet of its own belongs to the head before it.
      if (!/^(?:GET|POST) /.test(text)) return;
      requests.push(text);
      answer(socket, text, requests.length - 1);
    });
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `https://127.0.0.1:${address.port}`,
    caPem: ca.caPem,
    requests,
    connections: () => connections,
    endConnections: async () => {
      await Promise.all(
        [...sockets].map(
          (socket) =>
            // Not `once` of node:events: it rejects when the other side resets the connection, by which that ends, too.
            new Promise((resolve) => {
              socket.once('close', resolve).end();
            }),
        ),
      );
    },
  };
}

/** An answer with a JSON body. */
export const toAnswer = (status: string, body = '{"ok":true}', headers = ''): string =>
  `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
