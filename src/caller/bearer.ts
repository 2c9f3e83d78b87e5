import { ProblemError } from '../errors.ts';

const NAME = 'authorization';
/** Entra's own, with many groups, come to about half of it. */
const MAX_TOKEN_LENGTH = 16 * 1024;

/**
 * The bearer token of a request (RFC 6750 section 2.1). The `Authorization` header is the only place it is looked for;
 * `rawHeaders` shows a second one, which Node's joined headers hide.
 * @throws {ProblemError} `missing_token` when no bearer token was sent, `invalid_token` when one cannot be read.
 */
export function readBearerToken(rawHeaders: readonly string[]): string {
  const credentials = readAuthorization(rawHeaders);
  if (credentials === undefined) throw new ProblemError('missing_token');

  const space = credentials.indexOf(' ');
  const scheme = space === -1 ? credentials : credentials.slice(0, space);
  // RFC 6750 section 3.1: an unsupported scheme is no token, hence no error code in the challenge.
  if (scheme.toLowerCase() !== 'bearer') throw new ProblemError('missing_token');

  const rest = space === -1 ? '' : credentials.slice(space + 1);
  const token = rest.startsWith(' ') ? rest.replace(/^ +/, '') : rest;
  if (token === '') throw refusal('The Authorization header holds "Bearer" without a token.');
  if (token.length > MAX_TOKEN_LENGTH) throw refusal('The access token is longer than 16 KiB.');
  return token;
}

/** Each request comes this way: names are compared only where their lengths agree, and no list is made. */
function readAuthorization(rawHeaders: readonly string[]): string | undefined {
  let value: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length !== NAME.length || name.toLowerCase() !== NAME) continue;
    if (value !== undefined) throw refusal('More than one Authorization header was sent. Send exactly one.');
    value = rawHeaders[at + 1];
  }
  return value;
}

function refusal(message: string): ProblemError {
  return new ProblemError('invalid_token', message);
}
