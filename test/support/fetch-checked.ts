import type { Listener } from './answer-contract.ts';
import { assertDocumented } from './assert-documented.ts';

/** `fetch` whose answer has to be one that the OpenAPI document knows. */
export async function fetchChecked(
  url: string,
  init: RequestInit = {},
  listener: Listener = 'public',
): Promise<Response> {
  const response = await fetch(url, init);
  const { pathname, search } = new URL(url);
  assertDocumented({
    listener,
    method: init.method ?? 'GET',
    target: `${pathname}${search}`,
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.clone().arrayBuffer()),
  });
  return response;
}
