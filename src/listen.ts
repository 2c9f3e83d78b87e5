import type { Server } from 'node:net';
import { SettingsError } from './settings/settings-error.ts';
import { toShown } from './settings/problems.ts';

/** What a listener binds, and the settings that say so. */
export type Binding = Readonly<{
  host: string;
  port: number;
  names: Readonly<{ host: 'HOST' | 'ADMIN_HOST'; port: 'PORT' | 'ADMIN_PORT' }>;
}>;

/** By which the system says that the host is no address of this machine, or that nobody knows it by that name. */
const WRONG_HOST: readonly unknown[] = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EAI_AGAIN', 'EINVAL', 'ENOTFOUND'];

/** System errors say what failed, but not which setting to change. */
function naming({ host, names }: Binding, error: Error): Error {
  const code: unknown = Reflect.get(error, 'code');
  return WRONG_HOST.includes(code)
    ? new SettingsError([
        `${names.host}: expected an address of this machine, got ${toShown(host)} (${String(code)})`,
      ])
    : new Error(`${names.port}: ${error.message}`, { cause: error });
}

/** Resolves with the port once `server` listens. Rejects with a SettingsError when the host is wrong, else naming the port. */
export const listen = (server: Server, binding: Binding): Promise<number> =>
  new Promise((resolve, reject) => {
    const { host, port } = binding;
    const fail = (error: Error) => reject(naming(binding, error));
    server.once('error', fail);
    server.listen(port, host, () => {
      server.removeListener('error', fail);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
