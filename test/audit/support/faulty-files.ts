import { journalFiles } from '../../../src/audit/journal-files.ts';
import type { JournalFile, JournalFiles } from '../../../src/audit/journal-files.ts';

export type Fault = 'ENOSPC' | 'EIO' | 'hang';

/** The real disk, with faults that a test switches on and off, and a note of every call that ended. */
export type FaultyFiles = JournalFiles &
  Readonly<{
    calls: string[];
    /** Fails every call of that kind until the fault is taken away. `write: ENOSPC` takes `room` bytes first. */
    set: (call: 'open' | 'write' | 'sync' | 'truncate', fault: Fault | undefined, room?: number) => void;
    /** How many calls hang. */
    hanging: () => number;
    /** Takes all faults away and lets what hangs go on. */
    release: () => void;
  }>;

/** Files that were opened and not closed. */
export const countOpen = ({ calls }: Pick<FaultyFiles, 'calls'>): number =>
  calls.filter((call) => /^open (append|update)$/.test(call)).length -
  calls.filter((call) => call === 'close').length;

export function createFaultyFiles(): FaultyFiles {
  const calls: string[] = [];
  const faults = new Map<string, Fault>();
  let room = 0;
  let hanging: (() => void)[] = [];

  async function meet(call: string): Promise<void> {
    const fault = faults.get(call);
    if (fault === 'hang') {
      await new Promise<void>((resolve) => {
        hanging.push(resolve);
      });
    } else if (fault !== undefined) {
      calls.push(`${call} failed`);
      throw Object.assign(new Error(`${fault}: injected`), { code: fault });
    }
  }

  function wrap(file: JournalFile): JournalFile {
    return {
      async write(bytes, position) {
        if (faults.get('write') === 'ENOSPC' && room > 0) {
          const part = bytes.subarray(0, room);
          room -= part.byteLength;
          return await file.write(part, position);
        }
        await meet('write');
        const count = await file.write(bytes, position);
        calls.push('write');
        return count;
      },
      async sync() {
        await meet('sync');
        await file.sync();
        calls.push('sync');
      },
      async truncate(length) {
        await meet('truncate');
        await file.truncate(length);
        calls.push('truncate');
      },
      async close() {
        await file.close();
        calls.push('close');
      },
    };
  }

  return {
    calls,
    set(call, fault, bytes = 0) {
      if (fault === undefined) faults.delete(call);
      else faults.set(call, fault);
      room = bytes;
    },
    hanging: () => hanging.length,
    release() {
      faults.clear();
      for (const resolve of hanging) resolve();
      hanging = [];
    },
    async open(path, access) {
      await meet('open');
      const file = wrap(await journalFiles.open(path, access));
      calls.push(`open ${access}`);
      return file;
    },
    async syncDirectory(path) {
      await meet('sync');
      await journalFiles.syncDirectory(path);
      calls.push('sync directory');
    },
  };
}
