import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

export type KeyPair = Readonly<{ privateKey: KeyObject; publicKey: KeyObject }>;

/**
 * The same keys, without a tie to the job that generated them. Node 20 locks a key while it exports it as a JWK; should the
 * garbage collector meet that job right then, it waits for the same lock on the same thread: for ever.
 */
export const withoutJob = ({ privateKey, publicKey }: KeyPair): KeyPair => ({
  privateKey: createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  publicKey: createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })),
});
