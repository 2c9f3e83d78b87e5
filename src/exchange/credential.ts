import type { CredentialSource } from '../settings.ts';
import { parseCertificate, signClientAssertion, type Certificate } from './certificate.ts';
import { createWatchedFile } from '../watched-file.ts';

/**
 * The form fields by which this service proves itself at `tokenEndpoint` (the audience of a signed assertion).
 * Rejects when a file has never been readable.
 */
export type Credential = (tokenEndpoint: string) => Promise<Readonly<Record<string, string>>>;

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
    case 'secret':
      return async () => ({ client_secret: source.secret.reveal() });
    case 'secretFile': {
      const read = watch(source.path, parseLine);
      return async () => ({ client_secret: await read() });
    }
    case 'federatedToken': {
      const read = watch(source.path, parseLine);
      return async () => toAssertionFields(await read());
    }
    case 'certificate': {
      const read = watch(source.path, (pem) => {
        const certificate = parseCertificate(pem);
        onCertificate?.(certificate);
        return certificate;
      });
      return async (tokenEndpoint) =>
        toAssertionFields(signClientAssertion(await read(), { clientId, tokenEndpoint, now: now() }));
    }
  }
}
