import { ProblemError } from '../errors.ts';

/** Node accepts 16 KiB for all headers of a request together, so no longer token ever arrives. */
const MAX_TOKEN_LENGTH = 16 * 1024;

/**
 * The bearer token of a request (RFC 6750 section 2.1). The `Authorization` header is the only place it is looked for;
 * `rawHeaders` shows a second one, which Node's joined headers hide.
 * @throws {ProblemError} `missing_token` when no bearer token was sent, `invalid_token` when one cannot be read.
 */
export function readBearerToken(rawHeaders: readonly string[]): string {
  const [credentials, ...more] = valuesOf('authorization', rawHeaders);
  if (credentials === undefined) throw new ProblemError('missing_token');
  if (more.length > 0) throw refusal('More than one Authorization header was sent. Send exactly one.');

  const [scheme = '', ...rest] = credentials.split(' ');
  // RFC 6750 section 3.1: an unsupported scheme is no token, hence no error code in the challenge.
  if (scheme.toLowerCase() !== 'bearer') throw new ProblemError('missing_token');

  const token = rest.join(' ').replace(/^ +/, '');
  if (token === '') throw refusal('The Authorization header holds "Bearer" without a token.');
  if (token.length > MAX_TOKEN_LENGTH) throw refusal('The access token is longer than 16 KiB.');
  return token;
}

function valuesOf(name: string, rawHeaders: readonly string[]): readonly string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}

function refusal(message: string): ProblemError {
  return new ProblemError('invalid_token', message);
}
