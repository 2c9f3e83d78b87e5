import { z } from 'zod';
import { toEmptyAnswer, toJsonAnswer, type Answer } from './answer.ts';
import type { Incoming } from './incoming.ts';

/** One thing that may be asked of a sandbox server under `/sandbox`; what it returns becomes the JSON of a 200, `undefined` a 204. */
export type Command = (body: unknown) => unknown;

/** Commands by method and path, for example `POST /sandbox/faults`. */
export type Commands = Readonly<Record<string, Command>>;

/** The answer to a request under `/sandbox`; `undefined` for any other. */
export async function readControlAnswer(commands: Commands, request: Incoming): Promise<Answer | undefined> {
  if (!request.path.startsWith('/sandbox')) return undefined;
  const command = commands[`${request.method} ${request.path}`];
  if (command === undefined) return toJsonAnswer(404, { offered: Object.keys(commands) });
  try {
    const result: unknown = await command(request.body === '' ? undefined : JSON.parse(request.body));
    return result === undefined ? toEmptyAnswer(204) : toJsonAnswer(200, result);
  } catch (error) {
    if (error instanceof z.ZodError) return toJsonAnswer(400, { problems: error.issues });
    if (error instanceof SyntaxError) return toJsonAnswer(400, { problems: ['the body is no JSON'] });
    throw error;
  }
}
