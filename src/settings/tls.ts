import { createSecureContext } from 'node:tls';
import type { Draft } from './draft.ts';

export type TlsFiles = Readonly<{ certFile: string; keyFile: string }>;

function isLoadable(options: Readonly<{ cert?: string; key?: string }>): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}

/** Both files or none; together they have to make a TLS server. */
export function readTlsFiles({ isSet, value, content, problems }: Draft): TlsFiles | undefined {
  const names = ['TLS_CERT_FILE', 'TLS_KEY_FILE'] as const;
  if (!names.some(isSet) || names.some(problems.has)) return undefined;
  if (!names.every(isSet)) {
    problems.add(names, 'both or none', `${names.filter(isSet).join()} only`);
    return undefined;
  }

  const cert = content('TLS_CERT_FILE');
  const key = content('TLS_KEY_FILE');
  if (cert !== undefined && !isLoadable({ cert })) {
    problems.add('TLS_CERT_FILE', 'a certificate in PEM', 'something else');
  }
  if (key !== undefined && !isLoadable({ key })) {
    problems.add('TLS_KEY_FILE', 'an unencrypted key in PEM', 'something else');
  }
  const certFile = value('TLS_CERT_FILE');
  const keyFile = value('TLS_KEY_FILE');
  if (cert === undefined || key === undefined || certFile === undefined || keyFile === undefined)
    return undefined;
  if (names.some(problems.has)) return undefined;
  if (isLoadable({ cert, key })) return { certFile, keyFile };
  problems.add(names, 'a certificate and its key', 'two that do not belong together');
  return undefined;
}
