import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/** One open file of the journal. Every call may reject; nothing is buffered in between. */
export type JournalFile = Readonly<{
  /** Resolves to the number of bytes that were taken, which may be fewer than given (a full disk). */
  write: (bytes: Uint8Array, position?: number) => Promise<number>;
  /** `fdatasync`: what was written before is durable once it resolves. */
  sync: () => Promise<void>;
  truncate: (length: number) => Promise<void>;
  close: () => Promise<void>;
}>;

/** The calls by which the journal changes a disk; tests put faults in their place. */
export type JournalFiles = Readonly<{
  /** `append` creates the file (mode 0600) where it is absent; `update` never does. */
  open: (path: string, access: 'append' | 'update') => Promise<JournalFile>;
  /** Makes the names in a directory durable. */
  syncDirectory: (path: string) => Promise<void>;
}>;

const ACCESS = {
  append: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND,
  update: constants.O_WRONLY,
} as const;
const OWNER_ONLY = 0o600;

export const journalFiles: JournalFiles = {
  open: async (path, access) => toJournalFile(await open(path, ACCESS[access], OWNER_ONLY)),
  async syncDirectory(path) {
    const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
};

function toJournalFile(handle: FileHandle): JournalFile {
  return {
    write: async (bytes, position) =>
      (await handle.write(bytes, 0, bytes.byteLength, position ?? null)).bytesWritten,
    sync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  };
}
