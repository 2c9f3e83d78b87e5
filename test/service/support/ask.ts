import { z } from 'zod';
import type { Service } from '../../support/service.ts';

export type Reply = Readonly<{
  status: number;
  /** The inner code of an error. */
  code: string | undefined;
  message: string | undefined;
  retryAfter: number | undefined;
  challenge: string | undefined;
}>;

const ErrorBody = z.object({
  error: z.object({ message: z.string(), innerError: z.object({ code: z.string() }) }),
});

/** Longer than any deadline of the service: what takes longer hangs. */
const PATIENCE_MS = 60_000;

/** createToken on a profile of the sandbox, with these headers; rejects when no answer comes. */
export async function ask(
  service: Pick<Service, 'url' | 'createPath'>,
  headers: Readonly<Record<string, string>>,
  { target = service.createPath(), body = '{"tokenValidityInSeconds":60}' } = {},
): Promise<Reply> {
  const response = await fetch(service.url + target, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const text = await response.text();
  const error = text === '' ? undefined : ErrorBody.parse(JSON.parse(text)).error;
  const retryAfter = response.headers.get('retry-after');
  return {
    status: response.status,
    code: error?.innerError.code,
    message: error?.message,
    retryAfter: retryAfter === null ? undefined : Number(retryAfter),
    challenge: response.headers.get('www-authenticate') ?? undefined,
  };
}
