import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cutTail, readFrom } from './cut-tail.ts';
import type { JournalFile, JournalFiles } from './journal-files.ts';
import { toFileName } from './journal-names.ts';
import { writeAll } from './write-all.ts';

/** Where the journal ends: the last file (0: none yet), its length in bytes, and the UTC day of its last record. */
export type JournalEnd = Readonly<{ number: number; size: number; day: string }>;

/** The files of the journal, written one after the other. */
export type Segments = Readonly<{
  /** Whole lines, durable once it resolves. After a rejection only `recover` may follow. */
  append: (lines: Buffer, day: string) => Promise<void>;
  /**
   * After a rejected `append`: makes what stands of its lines durable, cuts a torn one, and begins a new file.
   * Resolves to the number of bytes (whole lines) that stand; rejects while the disk does not do it, and may be
   * called again then. Why so: docs/decisions/audit-journal.md.
   */
  recover: () => Promise<number>;
  close: () => Promise<void>;
}>;

type Attempt = Readonly<{ number: number; offset: number; lines: Buffer }>;

const LINE_FEED = 0x0a;

export function createSegments(
  options: Readonly<{ directory: string; files: JournalFiles; rotateBytes: number; end: JournalEnd }>,
): Segments {
  const { directory, files, rotateBytes } = options;
  let { number, size, day } = options.end;
  let file: JournalFile | undefined;
  let attempt: Attempt | undefined;

  /** Opens the last file if it may still grow, else a new one. An empty file is never left behind. */
  async function begin(fresh: boolean): Promise<void> {
    await closeFile();
    const next = number === 0 || (fresh && size > 0) ? number + 1 : number;
    const length = next === number ? size : 0;
    const path = join(directory, toFileName(next));
    const opened = await files.open(path, 'append');
    try {
      if ((await stat(path)).size !== length) throw new Error(`${path} was written to by someone else`);
      await files.syncDirectory(directory);
    } catch (error) {
      void opened.close().catch(() => undefined);
      throw error;
    }
    [file, number, size] = [opened, next, length];
  }

  async function closeFile(): Promise<void> {
    const closing = file;
    file = undefined;
    // Nothing depends on it: what counts was synced before.
    await closing?.close().catch(() => undefined);
  }

  return {
    async append(lines, today) {
      const full = size > 0 && (today !== day || size + lines.byteLength > rotateBytes);
      if (file === undefined || full) await begin(full);
      if (file === undefined) return;
      day = today;
      attempt = { number, offset: size, lines };
      await writeAll(file, lines);
      await file.sync();
      attempt = undefined;
      size += lines.byteLength;
    },
    async recover() {
      await closeFile();
      const kept = attempt === undefined ? 0 : await rescue(files, directory, attempt);
      if (attempt !== undefined) size = attempt.offset + kept;
      await begin(true);
      attempt = undefined;
      return kept;
    },
    close: closeFile,
  };
}

/** What landed of the lines, made durable: the whole ones stay, the torn one is cut. Resolves to the bytes that stay. */
async function rescue(files: JournalFiles, directory: string, attempt: Attempt): Promise<number> {
  const name = toFileName(attempt.number);
  const landed = await readFrom(join(directory, name), attempt.offset);
  if (!attempt.lines.subarray(0, landed.byteLength).equals(landed)) {
    throw new Error(`${name} was written to by someone else`);
  }
  const kept = landed.lastIndexOf(LINE_FEED) + 1;
  await cutTail(files, directory, name, attempt.offset + kept);
  const file = await files.open(join(directory, name), 'update');
  try {
    // A sync that failed leaves pages marked clean that never reached the disk: only bytes written again are
    // certain to be covered by another sync.
    await writeAll(file, landed.subarray(0, kept), attempt.offset);
    await file.sync();
  } finally {
    await file.close().catch(() => undefined);
  }
  return kept;
}
