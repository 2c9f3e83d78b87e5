import assert from 'node:assert/strict';
import { checkAnswer, type Listener } from './answer-contract.ts';

/** `fetch` from a service that runs elsewhere; the answer is held to the OpenAPI document, as watchAnswers does it in the service. */
export async function fetchChecked(
  url: string,
  init: RequestInit = {},
  listener: Listener = 'public',
): Promise<Response> {
  const response = await fetch(url, init);
  const { pathname, search } = new URL(url);
  const method = init.method ?? 'GET';
  const { status } = response;
  const violations = checkAnswer({
    listener,
    method,
    target: `${pathname}${search}`,
    status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.clone().arrayBuffer()),
  });
  assert.deepEqual([...violations], [], `${method} ${pathname} → ${status}`);
  return response;
}
