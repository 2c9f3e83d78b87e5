import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Logger } from '../log.ts';
import { createWatchedFile } from '../watched-file.ts';
import type { TlsMaterial } from './server.ts';

/** Reads certificate and key; the same object as long as neither changed. Rejects when they could never be read. */
export type ReadTls = () => Promise<TlsMaterial>;

/** `onFailure` is told when files that were read before cannot be read any more; what they held stays in use. */
export function createTlsReader(
  { certFile, keyFile }: Readonly<{ certFile: string; keyFile: string }>,
  onFailure: (error: unknown) => void,
): ReadTls {
  const parse = (content: string) => content;
  const readCert = createWatchedFile({ path: certFile, parse, onFailure });
  const readKey = createWatchedFile({ path: keyFile, parse, onFailure });
  let last: TlsMaterial | undefined;
  return async () => {
    const [cert, key] = [await readCert(), await readKey()];
    if (last?.cert !== cert || last.key !== key) last = { cert, key };
    return last;
  };
}

/**
 * Gives a replaced certificate to the server; connections that are open keep theirs. While only one of the two files has been
 * replaced they do not fit, and the old pair stays.
 */
export function createTlsReload(server: Pick<Server, 'setSecureContext'>, read: ReadTls, log: Logger) {
  let inUse: TlsMaterial | undefined;
  return async (): Promise<void> => {
    const material = await read();
    if (material === inUse) return;
    try {
      createSecureContext(material);
    } catch (error) {
      log.warn('the TLS files do not fit one another yet', { error });
      return;
    }
    if (inUse) log.info('the TLS certificate was replaced');
    inUse = material;
    server.setSecureContext({ ...material, minVersion: 'TLSv1.2' });
  };
}
