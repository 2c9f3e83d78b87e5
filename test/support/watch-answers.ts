import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { checkAnswer, findDocumented } from './answer-contract.ts';

export type Watch = Readonly<{ violations: readonly string[]; statuses: ReadonlySet<string> }>;

const toHeaders = (response: ServerResponse): Readonly<Record<string, string>> =>
  Object.fromEntries(response.getHeaderNames().map((name) => [name, String(response.getHeader(name))]));

/** Holds every answer of a server to the OpenAPI document. */
export function watchAnswers(server: Server | HttpsServer): Watch {
  const violations: string[] = [];
  const statuses = new Set<string>();
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    const end = response.end.bind(response);
    const takeEnd = (...args: Parameters<typeof end>) => {
      const [chunk] = args;
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
      return end(...args);
    };
    Object.assign(response, { end: takeEnd });
    response.once('finish', () => {
      const { url: target = '', method = '' } = request;
      const { statusCode: status } = response;
      const route = findDocumented(method, target)?.route;
      if (route !== undefined && method !== 'HEAD') statuses.add(`${route} ${status}`);
      const answer = { method, target, status, headers: toHeaders(response), body: Buffer.concat(chunks) };
      for (const violation of checkAnswer(answer))
        violations.push(`${method} ${target.slice(0, 200)} → ${status}: ${violation}`);
    });
  });
  return { violations, statuses };
}
