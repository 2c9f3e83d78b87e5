import { connect } from 'node:net';
import { parseRaw } from '../../http/raw-http.ts';
import { assertDocumented } from '../../support/assert-documented.ts';

export type RawAnswer = Readonly<{
  /** From the first bytes on, even if no more came. */
  status: number | undefined;
  /** `innerError.code`. */
  code: string | undefined;
  /** Whether the head came to its end. */
  whole: boolean;
}>;

export type RawRequest = Readonly<{ path: string; headers: Readonly<Record<string, string>>; body: string }>;

/** An answer that came to its end is one that the OpenAPI document knows. */
function checkWhole(target: string, received: string): void {
  const { status, headers, body: text } = parseRaw(received);
  const body = Buffer.from(text);
  const isWhole = status === 204 || body.length === Number(headers['content-length']);
  if (received.includes('\r\n\r\n') && isWhole) {
    assertDocumented({ method: 'POST', target, status, headers, body });
  }
}

/** One POST on a connection of its own, read by hand: what came of the answer counts, however the connection ended. */
export async function sendRaw(origin: string, { path, headers, body }: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  const lines = [
    `POST ${path} HTTP/1.1`,
    `host: ${hostname}:${port}`,
    'connection: close',
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  let received = '';
  socket.setEncoding('utf8').on('data', (part: string) => (received += part));
  await new Promise<void>((resolve) => {
    socket.on('error', () => undefined).on('close', () => resolve());
  });
  checkWhole(path, received);
  const status = /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1];
  return {
    status: status === undefined ? undefined : Number(status),
    code: /"innerError":\{"code":"(\w+)"/.exec(received)?.[1],
    whole: received.includes('\r\n\r\n'),
  };
}
