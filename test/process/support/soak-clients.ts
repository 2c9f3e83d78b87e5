import { Agent, request } from 'node:http';

export type Ask = Readonly<{
  method: 'GET' | 'POST';
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** Milliseconds after which the caller leaves, whatever has come by then. */
  leavesAfter?: number;
}>;

export type SoakClients = Readonly<{
  /** The status of the answer; `undefined` without one. Never rejects. */
  ask: (request: Ask) => Promise<number | undefined>;
  close: () => void;
}>;

const CONNECTIONS = 16;

/** Callers that share a few connections, as those behind an ingress do. */
export function createSoakClients(origin: string): SoakClients {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  return {
    ask: ({ method, path, headers, body, leavesAfter }) =>
      new Promise((resolve) => {
        let status: number | undefined;
        const asked = request(`${origin}${path}`, { agent, method, headers }, (response) => {
          status = response.statusCode;
          response.on('error', () => undefined).resume();
        });
        asked.on('error', () => undefined).once('close', () => resolve(status));
        if (leavesAfter !== undefined) setTimeout(() => asked.destroy(), leavesAfter);
        asked.end(body);
      }),
    close: () => agent.destroy(),
  };
}
