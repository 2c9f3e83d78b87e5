import { generateKeyPair as generateKeyPairWithCallback, randomUUID, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { exportJWK, type JWK } from 'jose';
import { withoutJob } from '../key-pair.ts';

const generateKeyPair = promisify(generateKeyPairWithCallback);

export type SigningKey = Readonly<{ kid: string; privateKey: KeyObject; publicKey: KeyObject; jwk: JWK }>;

export type SigningKeys = Readonly<{
  /** The key that signs at the moment. */
  current: () => SigningKey;
  /** All that still count, those held back too. */
  all: () => readonly SigningKey[];
  /** The JWKS as published; v2.0 keys name their issuer, v1.0 keys none. */
  published: (issuer?: string) => unknown;
  /** Signs with a new key from now on and publishes it beside the older ones, unless `published` is false. Resolves with its `kid`. */
  rotate: (options?: Readonly<{ published?: boolean }>) => Promise<string>;
  /** Publishes the keys that were held back. */
  publish: () => void;
  /** An emergency: one new key, and every older one is withdrawn. `sameKid` keeps the name of the last. */
  swapKeys: (options?: Readonly<{ sameKid?: boolean }>) => Promise<string>;
  /** Serves this JWKS as it stands, whatever it is, until called with `undefined`. */
  setKeys: (jwks: unknown) => void;
}>;

export async function createSigningKeys(): Promise<SigningKeys> {
  let current = await generateSigningKey();
  let shown: SigningKey[] = [current];
  let heldBack: SigningKey[] = [];
  let override: unknown;

  return {
    current: () => current,
    all: () => [...shown, ...heldBack],
    published: (issuer) => override ?? { keys: shown.map(({ jwk }) => (issuer ? { ...jwk, issuer } : jwk)) },
    rotate: async ({ published = true } = {}) => {
      current = await generateSigningKey();
      if (published) shown = [...shown, current];
      else heldBack = [...heldBack, current];
      return current.kid;
    },
    publish: () => {
      shown = [...shown, ...heldBack];
      heldBack = [];
    },
    swapKeys: async ({ sameKid = false } = {}) => {
      current = await generateSigningKey(sameKid ? current.kid : undefined);
      shown = [current];
      heldBack = [];
      return current.kid;
    },
    setKeys: (jwks) => {
      override = jwks;
    },
  };
}

/** RSA with 2048 bits, as Entra's. */
export async function generateSigningKey(kid: string = randomUUID()): Promise<SigningKey> {
  const { privateKey, publicKey } = withoutJob(await generateKeyPair('rsa', { modulusLength: 2048 }));
  const { n, e } = await exportJWK(publicKey);
  if (n === undefined || e === undefined) throw new Error('an RSA key has a modulus and an exponent');
  return { kid, privateKey, publicKey, jwk: { kty: 'RSA', use: 'sig', kid, x5t: kid, n, e } };
}
