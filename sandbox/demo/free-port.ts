import { createServer } from 'node:net';
import type { Ports } from './options.ts';
import { SentenceError } from './sentence-error.ts';

/** Throws a SentenceError that names the first port that another program listens on. */
export async function requireFreePorts(ports: Ports): Promise<void> {
  for (const [name, port] of Object.entries(ports)) {
    const failure = port === 0 ? undefined : await tryPort(port);
    if (failure === undefined) continue;
    const why = failure === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${failure})`;
    throw new SentenceError(
      `Port ${port} ${why}: choose another one, for example ${name}=0 for any free one.`,
    );
  }
}

const tryPort = (port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
