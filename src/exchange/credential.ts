import type { CredentialSource } from '../settings.ts';
import { parseCertificate, signClientAssertion, type Certificate } from './certificate.ts';
import { createWatchedFile } from '../watched-file.ts';

/** How this service proves itself at a token endpoint. */
export type Proof = Readonly<{
  fields: Readonly<Record<string, string>>;
  /** Equal (`===`) for as long as the credential behind it was not replaced. */
  origin: unknown;
}>;

/** Proves itself at `tokenEndpoint` (the audience of a signed assertion). Rejects when a file has never been readable. */
export type Credential = (tokenEndpoint: string) => Promise<Proof>;

type CredentialOptions = Readonly<{
  source: CredentialSource;
  clientId: string;
  /** Told of a certificate when it is first read and each time it is replaced. */
  onCertificate?: (certificate: Certificate) => void;
  /** Told when a replaced file cannot be used; the last good content stays in use. */
  onFailure?: (error: unknown) => void;
  now?: () => number;
}>;

/** RFC 7523 section 2.2. */
const toAssertionFields = (assertion: string) => ({
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: assertion,
});

const parseLine = (content: string): string => {
  const line = content.trim();
  if (line === '') throw new Error('the file is empty');
  return line;
};

export function createCredential({
  source,
  clientId,
  onCertificate,
  onFailure,
  now = Date.now,
}: CredentialOptions): Credential {
  const watch = <Value>(path: string, parse: (content: string) => Value) =>
    createWatchedFile({ path, parse, ...(onFailure && { onFailure }) });

  switch (source.kind) {
    case 'secret': {
      const { secret } = source;
      return async () => ({ fields: { client_secret: secret.reveal() }, origin: secret });
    }
    case 'secretFile': {
      const read = watch(source.path, parseLine);
      return async () => {
        const secret = await read();
        return { fields: { client_secret: secret }, origin: secret };
      };
    }
    case 'federatedToken': {
      const read = watch(source.path, parseLine);
      return async () => {
        const token = await read();
        return { fields: toAssertionFields(token), origin: token };
      };
    }
    case 'certificate': {
      const read = watch(source.path, (pem) => {
        const certificate = parseCertificate(pem);
        onCertificate?.(certificate);
        return certificate;
      });
      return async (tokenEndpoint) => {
        const certificate = await read();
        const assertion = signClientAssertion(certificate, { clientId, tokenEndpoint, now: now() });
        return { fields: toAssertionFields(assertion), origin: certificate };
      };
    }
  }
}
