import { once } from 'node:events';
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import type { Entra } from '../../../sandbox/entra.ts';
import { startTlsScript, toAnswer } from '../../support/tls-script.ts';

/** Servers that give the good keys, and that must not be asked for them. */
export type Decoys = Readonly<{
  /** An origin without TLS. */
  plain: string;
  /** An origin with a certificate that nobody trusts. */
  untrusted: string;
  /** Requests that came. */
  requests: () => number;
}>;

export async function startDecoys(t: TestContext, { keys }: Entra): Promise<Decoys> {
  const jwks = JSON.stringify(keys.published());
  const untrusted = await startTlsScript(t, (socket) => socket.end(toAnswer('200 OK', jwks)));
  let count = 0;
  const plain = createServer((_request, response) => {
    count += 1;
    response.setHeader('content-type', 'application/json').end(jwks);
  }).listen(0, '127.0.0.1');
  await once(plain, 'listening');
  t.after(() => {
    plain.closeAllConnections();
    plain.close();
  });
  const address = plain.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    plain: `http://127.0.0.1:${address.port}`,
    untrusted: untrusted.url,
    requests: () => count + untrusted.requests.length,
  };
}
