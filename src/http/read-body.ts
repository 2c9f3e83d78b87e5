import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../errors.ts';
import type { Step } from './request-scope.ts';

/** Bytes; the largest sensible body has under a hundred. */
const MAX_BODY = 4096;

const toTooLarge = () => new ProblemError('body_too_large', `The body is larger than ${MAX_BODY} bytes.`);

/** Resolves with nothing when the caller left before its body was complete. What is too large is read on, and thrown away. */
const readBytes = (request: IncomingMessage): Promise<Buffer | undefined> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const takeChunk = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= MAX_BODY) {
        chunks.push(chunk);
        return;
      }
      request.removeListener('data', takeChunk);
      reject(toTooLarge());
    };
    request
      .on('data', takeChunk)
      .once('end', () => resolve(Buffer.concat(chunks)))
      .once('close', () => resolve(undefined));
  });

/** Reads the body as bytes, once the caller is known; nothing is inflated. */
export function readBody(): Step {
  return async function readBody(request, response, next) {
    const { 'content-encoding': coding = 'identity' } = request.headers;
    if (coding.toLowerCase() !== 'identity') throw new ProblemError('unsupported_media_type');
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) throw toTooLarge();
    const body = await readBytes(request);
    if (body === undefined) return;
    response.locals.scope.body = body;
    next();
  };
}
