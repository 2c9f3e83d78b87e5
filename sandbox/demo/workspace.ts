import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Workspace = Readonly<{
  caFile: string;
  auditDirectory: string;
  logFile: string;
  /** Writes a token into a file that only its owner may read, and gives its path. */
  writeToken: (name: string, token: string) => Promise<string>;
  remove: () => Promise<void>;
}>;

/** A temporary directory of this sandbox alone (mode 0700). */
export async function createWorkspace(caPem: string): Promise<Workspace> {
  const directory = await mkdtemp(join(tmpdir(), 'enrollment-sandbox-'));
  const caFile = join(directory, 'ca.pem');
  const auditDirectory = join(directory, 'audit');
  await mkdir(auditDirectory, { mode: 0o700 });
  await writeFile(caFile, caPem);
  return {
    caFile,
    auditDirectory,
    logFile: join(directory, 'service.log'),
    writeToken: async (name, token) => {
      const path = join(directory, `${name}.token`);
      await writeFile(path, token, { mode: 0o600 });
      return path;
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
