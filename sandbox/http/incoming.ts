import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** A request with its body read. */
export type Incoming = Readonly<{
  method: string;
  /** Without the query, not decoded. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  rawHeaders: readonly string[];
  body: string;
}>;

const MAX_BODY_BYTES = 1024 * 1024;

/** Throws when the body is larger than a megabyte or the connection breaks. */
export async function readIncoming(request: IncomingMessage): Promise<Incoming> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_BODY_BYTES) throw new Error('the body is larger than 1 MB');
    chunks.push(bytes);
  }
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://sandbox');
  return {
    method: request.method ?? 'GET',
    path: pathname,
    query: searchParams,
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    body: Buffer.concat(chunks).toString(),
  };
}
