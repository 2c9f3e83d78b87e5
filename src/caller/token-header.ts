/** All that Entra writes. `crit`, `jku`, `jwk`, `x5u`, `x5c`, `b64`, `cty`, `enc`, `zip` and the rest have no business here. */
const MEMBERS: ReadonlySet<string> = new Set(['typ', 'alg', 'kid', 'x5t', 'nonce']);

/** Entra's key ids are base64url; the length is a bound, nothing more. */
const KEY_ID = /^[\w.-]{1,128}$/;

/** What is used of a JOSE header (RFC 7515 section 4). */
export type TokenHeader = Readonly<{ kid: string; hasNonce: boolean }>;

/** @throws {TypeError} naming the kind of defect. */
export function parseTokenHeader(value: unknown): TokenHeader {
  if (!isRecord(value)) throw new TypeError('its header is not a JSON object');
  const { typ, alg, kid, x5t, nonce } = value;
  if (!Object.keys(value).every((name) => MEMBERS.has(name))) {
    throw new TypeError('its header has a member other than typ, alg, kid, x5t and nonce');
  }
  if (alg !== 'RS256') throw new TypeError('it is not signed with RS256');
  if (typ !== 'JWT') throw new TypeError('its header lacks "typ": "JWT"');
  if (typeof kid !== 'string' || !KEY_ID.test(kid)) throw new TypeError('its header names no key ("kid")');
  if (x5t !== undefined && (typeof x5t !== 'string' || !KEY_ID.test(x5t))) {
    throw new TypeError('its header has an "x5t" that is no thumbprint');
  }
  return { kid, hasNonce: nonce !== undefined };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
