import { ProblemError } from '../errors.ts';
import { parseStrictJson } from '../strict-json.ts';
import { parseClaims, type Claims } from './claims.ts';
import { parseTokenHeader } from './token-header.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A token that looks like one of Entra's. Nothing in it has been verified. */
export type UnverifiedToken = Readonly<{
  kid: string;
  /** Entra signs the tokens of some Microsoft APIs so that nobody else can verify them, and marks them by a `nonce`. */
  hasNonce: boolean;
  claims: Claims;
  /** What the signature was made over (RFC 7515 section 5.1). */
  signingInput: string;
  signature: Buffer;
}>;

/**
 * A compact JWS (RFC 7515 section 7.1) as Entra writes it, and in no other spelling: strict base64url, UTF-8, unique
 * member names, known header members, claims of the right types.
 * @throws {ProblemError} `invalid_token`, naming the kind of defect and nothing out of the token.
 */
export function parseTokenShape(token: string): UnverifiedToken {
  const [header, payload, signature] = splitToken(token);
  try {
    const { kid, hasNonce } = parseTokenHeader(parseStrictJson(decodeText(header)));
    const claims = parseClaims(parseStrictJson(decodeText(payload)));
    return { kid, hasNonce, claims, signingInput: `${header}.${payload}`, signature: decode(signature) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError)
      throw refusal(`The access token is malformed: ${error.message}.`);
    throw error;
  }
}

function splitToken(token: string): readonly [string, string, string] {
  const [header = '', payload = '', signature = '', ...more] = token.split('.');
  if (/^bearer /i.test(token)) throw refusal('The Authorization header holds the word "Bearer" twice.');
  if (more.length === 2) throw refusal('The access token is encrypted (JWE). Send a signed one (JWS).');
  if (header === '' || payload === '' || more.length > 0) {
    throw refusal('What was sent is not a JWT: that has three parts, separated by dots.');
  }
  if (signature === '') throw refusal('The access token is not signed.');
  return [header, payload, signature];
}

/** base64url without padding, in its one canonical spelling (RFC 7515 section 2, RFC 4648 section 3.5). */
function decode(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) throw new SyntaxError('a part of it is not base64url');
  return bytes;
}

function decodeText(part: string): string {
  const bytes = decode(part);
  try {
    return utf8.decode(bytes);
  } catch {
    throw new SyntaxError('a part of it is not UTF-8');
  }
}

function refusal(message: string): ProblemError {
  return new ProblemError('invalid_token', message);
}
