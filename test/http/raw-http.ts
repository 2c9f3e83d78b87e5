import { connect } from 'node:net';

export type RawAnswer = Readonly<{ status: number; headers: Readonly<Record<string, string>>; body: string }>;

/** Sends bytes as they are and resolves with all that comes until the server ends the connection, or is silent for 20 s. */
export function sendRaw(origin: string, ...parts: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    const { port, hostname } = new URL(origin);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.setTimeout(20_000, () => socket.destroy());
    // A reset after the answer is the server's right.
    socket.on('error', () => undefined).once('close', () => resolve(text));
    for (const part of parts) socket.write(part);
  });
}

/** The first answer in what a server sent. */
export function parseRaw(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = fields.map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
  });
  return {
    status: Number(line.split(' ')[1]),
    headers: Object.fromEntries(headers),
    body: rest.join('\r\n\r\n'),
  };
}

/** A request with these header lines and this body, on a connection that ends with its answer. */
export async function request(
  origin: string,
  line: string,
  headers: readonly string[] = [],
  body: string | Buffer = '',
): Promise<RawAnswer> {
  const head = [`${line} HTTP/1.1`, 'Host: service.example', 'Connection: close', ...headers];
  return parseRaw(await sendRaw(origin, `${head.join('\r\n')}\r\n\r\n`, body));
}

/** The inner code of an error's body. */
export function codeOf({ body }: Readonly<{ body: string }>): unknown {
  const parsed: unknown = body === '' ? undefined : JSON.parse(body);
  return Object(Object(Object(parsed).error).innerError).code;
}
