import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJournalName } from './journal-names.ts';

export type JournalDirectory = Readonly<{
  /** The numbers of the record files, oldest first. */
  numbers: readonly number[];
  /** What is no part of an audit journal, by name. */
  foreign: readonly string[];
}>;

/** What an audit directory holds. What has the name of a record file and is no file (a directory, a socket) is foreign. */
export async function readJournalDirectory(directory: string): Promise<JournalDirectory> {
  const numbers: number[] = [];
  const foreign: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const parsed = parseJournalName(entry.name);
    if (parsed.kind === 'aside') continue;
    if (parsed.kind === 'records' && (await isFile(directory, entry))) numbers.push(parsed.number);
    else foreign.push(entry.name);
  }
  return { numbers: numbers.toSorted((a, b) => a - b), foreign: foreign.toSorted() };
}

async function isFile(directory: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  const target = await stat(join(directory, entry.name)).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  return target?.isFile() === true;
}
