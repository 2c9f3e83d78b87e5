import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalFiles } from './journal-files.ts';
import { toTornName } from './journal-names.ts';
import { writeAll } from './write-all.ts';

/**
 * Cuts a file of the journal back to `length` bytes, after the bytes behind it are durable in a `.torn` file beside
 * it. Can be repeated after a failure or a crash at any point.
 */
export async function cutTail(
  files: JournalFiles,
  directory: string,
  name: string,
  length: number,
): Promise<void> {
  const tail = await readFrom(join(directory, name), length);
  if (tail.byteLength === 0) return;
  await keepAside(files, directory, name, tail);
  const file = await files.open(join(directory, name), 'update');
  try {
    await file.truncate(length);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The bytes of a file from an offset to its end. */
export async function readFrom(path: string, offset: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.max(0, size - offset));
    const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, offset);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function keepAside(files: JournalFiles, directory: string, name: string, tail: Buffer): Promise<void> {
  for (let count = 1; ; count += 1) {
    const path = join(directory, toTornName(name, count));
    const present = await readFile(path).catch(() => undefined);
    // The same bytes: an earlier attempt got this far.
    if (present?.equals(tail) === true) return;
    if (present !== undefined) continue;
    const file = await files.open(path, 'append');
    try {
      await writeAll(file, tail);
      await file.sync();
      await files.syncDirectory(directory);
    } catch (error) {
      await rm(path, { force: true }).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
    return;
  }
}
