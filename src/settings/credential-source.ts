import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Secret } from '../secret.ts';
import type { Draft } from './draft.ts';
import type { Kind } from './kind.ts';
import { ROWS, type SettingName } from './table.ts';

/** How this service proves itself to Entra. Files are read again when they change. */
export type CredentialSource =
  | Readonly<{ kind: 'secret'; secret: Secret }>
  | Readonly<{ kind: 'secretFile'; path: string }>
  | Readonly<{ kind: 'certificate'; path: string }>
  | Readonly<{ kind: 'federatedToken'; path: string }>;

const CREDENTIALS = [
  'AZURE_CLIENT_SECRET',
  'AZURE_CLIENT_SECRET_FILE',
  'AZURE_CLIENT_CERTIFICATE_PATH',
  'AZURE_FEDERATED_TOKEN_FILE',
] as const satisfies readonly SettingName[];

/** A signed JSON Web Token, loosely: its issuer is free in everything else (RFC 7519 section 3). */
const federatedToken: Kind<string> = {
  expected: 'one token, without spaces or line breaks',
  read: (text) => (/^[!-~]+$/.test(text) ? text : undefined),
};

/** The path of a file with one line of the given kind, as it is read at run time: without the blanks around it. */
function readLineFile(
  { value, content, problems }: Draft,
  name: 'AZURE_CLIENT_SECRET_FILE' | 'AZURE_FEDERATED_TOKEN_FILE',
  kind: Kind<unknown>,
): string | undefined {
  const path = value(name);
  const line = content(name)?.trim();
  if (path === undefined || line === undefined) return undefined;
  if (kind.read(line) !== undefined) return path;
  problems.add(name, `a file with ${kind.expected}`, 'another content');
  return undefined;
}

/** What is wrong with a PEM that should hold an RSA key (PS256 needs one) and its certificate. */
function readPemProblem(pem: string, now: number): string | undefined {
  try {
    const key = createPrivateKey(pem);
    const certificate = new X509Certificate(pem);
    if (key.asymmetricKeyType !== 'rsa') return 'a key of another type';
    if (!certificate.checkPrivateKey(key)) return 'two that do not belong together';
    if (Date.parse(certificate.validTo) <= now) return `one that expired on ${certificate.validTo}`;
    return undefined;
  } catch {
    return 'none that can be used';
  }
}

/** The one credential that is set; none or several is a problem, and so is a file of which nothing can be made. */
export function readCredentialSource(draft: Draft, now: number): CredentialSource | undefined {
  const { isSet, value, content, problems } = draft;
  const given = CREDENTIALS.filter(isSet);
  // One that CONFIG_FILE may not hold was given all the same, and has been reported.
  if (given.length === 0 && CREDENTIALS.some(problems.has)) return undefined;
  if (given.length !== 1) {
    problems.add(CREDENTIALS, 'exactly one of these', given.join(' and ') || 'none');
    return undefined;
  }

  const secret = value('AZURE_CLIENT_SECRET');
  if (secret !== undefined) return { kind: 'secret', secret };

  const secretFile = readLineFile(draft, 'AZURE_CLIENT_SECRET_FILE', ROWS.AZURE_CLIENT_SECRET.kind);
  if (secretFile !== undefined) return { kind: 'secretFile', path: secretFile };

  const tokenFile = readLineFile(draft, 'AZURE_FEDERATED_TOKEN_FILE', federatedToken);
  if (tokenFile !== undefined) return { kind: 'federatedToken', path: tokenFile };

  const certificate = value('AZURE_CLIENT_CERTIFICATE_PATH');
  const pem = content('AZURE_CLIENT_CERTIFICATE_PATH');
  if (certificate === undefined || pem === undefined) return undefined;
  const pemProblem = readPemProblem(pem, now);
  if (pemProblem === undefined) return { kind: 'certificate', path: certificate };
  problems.add('AZURE_CLIENT_CERTIFICATE_PATH', 'a PEM file with an RSA key and its certificate', pemProblem);
  return undefined;
}
