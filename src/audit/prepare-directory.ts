import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const { R_OK, W_OK, X_OK } = constants;

/** The owner's alone, as are the files in it. */
const MODE = 0o700;

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/**
 * Level by level: Node's own `recursive` never ends where a directory exists in which nothing can be made, and the system
 * says of that that it does not exist (`/proc/x`).
 */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: MODE });
  } catch (error) {
    if (isDirectory(path)) return;
    const parent = dirname(path);
    if (!isAbsent(error) || parent === path || isDirectory(parent)) throw error;
    makeDirectory(parent);
    makeDirectory(path);
  }
}

/** Makes an audit directory (mode 0700) where it is absent. Throws the error of the system if it cannot be made, read or written. */
export function prepareDirectory(path: string): void {
  makeDirectory(resolve(path));
  accessSync(path, R_OK | W_OK | X_OK);
}
