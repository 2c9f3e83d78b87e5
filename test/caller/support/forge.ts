import { createHmac, sign as signBytes } from 'node:crypto';
import { createPair, toV2Claims, type SigningPair } from './tenant.ts';

export type Forgery = Readonly<{
  /** Changes to the header Entra writes; `undefined` takes a member away. A string stands for the whole header. */
  header?: Readonly<Record<string, unknown>> | string;
  /** Changes to the claims Entra writes, likewise. */
  claims?: Readonly<Record<string, unknown>> | string | Buffer;
  /** Who signs. */
  pair?: SigningPair;
  /** Signs in another way; the empty buffer does not sign. */
  signer?: (input: string) => Buffer;
}>;

export const KEY_1 = createPair('key-1');
export const KEY_2 = createPair('key-2');
export const ATTACKER = createPair('key-1');

/** A token made by hand, byte for byte as wanted, signed all the same. */
export function forge({
  header = {},
  claims = {},
  pair = KEY_1,
  signer = rs256(pair),
}: Forgery = {}): string {
  const headerText =
    typeof header === 'string'
      ? header
      : JSON.stringify({ typ: 'JWT', alg: 'RS256', kid: pair.kid, ...header });
  const claimsBytes =
    typeof claims === 'string' || Buffer.isBuffer(claims)
      ? Buffer.from(claims)
      : Buffer.from(JSON.stringify({ ...toV2Claims(), ...claims }));
  const input = `${Buffer.from(headerText).toString('base64url')}.${claimsBytes.toString('base64url')}`;
  return `${input}.${signer(input).toString('base64url')}`;
}

export function rs256(pair: SigningPair): (input: string) => Buffer {
  return (input) => signBytes('RSA-SHA256', Buffer.from(input), pair.privateKey);
}

export function hmac(hash: string, secret: string | Buffer): (input: string) => Buffer {
  return (input) => createHmac(hash, secret).update(input).digest();
}

/** The claims of a good token as text, to be edited as text. */
export function claimsText(changes: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ ...toV2Claims(), ...changes });
}
