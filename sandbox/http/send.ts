import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Answer } from './answer.ts';

/** An ordinary answer of known length. */
export function send(response: ServerResponse, answer: Answer): void {
  writeHead(response, answer, answer.status === 204 ? {} : { 'content-length': String(answer.body.length) });
  response.end(answer.body);
}

/** Without `content-length`, so that Node sends it in chunks. */
export function sendInChunks(response: ServerResponse, answer: Answer): void {
  writeHead(response, answer, {});
  response.write(answer.body);
  response.end();
}

function writeHead(response: ServerResponse, answer: Answer, more: Record<string, string>): void {
  const headers = Object.entries(answer.headers).map(([name, value]): [string, string | string[]] => [
    name,
    typeof value === 'string' ? value : [...value],
  ]);
  response.writeHead(answer.status, { ...Object.fromEntries(headers), ...more });
}

/** The bytes of an answer, for faults that treat the connection by hand. It ends the connection. */
export function toBytes(answer: Answer, { withLength }: Readonly<{ withLength: boolean }>): Buffer {
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Unknown'}`];
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const one of [value].flat()) lines.push(`${name}: ${one}`);
  }
  if (withLength && answer.status !== 204) lines.push(`content-length: ${answer.body.length}`);
  lines.push('connection: close', '', '');
  return Buffer.concat([Buffer.from(lines.join('\r\n')), answer.body]);
}
