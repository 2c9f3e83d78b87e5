import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Installs the locked packages of the peers, unless they are there. */
export function installPeers(): void {
  if (existsSync(join(import.meta.dirname, 'node_modules/.package-lock.json'))) return;
  const { status, stderr, error } = spawnSync('npm', ['ci', '--no-progress'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error('npm ci failed in bench/', { cause: error ?? stderr });
}
