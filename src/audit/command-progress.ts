import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandWorld } from './command-world.ts';
import { readJournalDirectory } from './journal-directory.ts';
import { toFileName } from './journal-names.ts';

export type Progress = Readonly<{ report: (bytesRead: number) => void; end: () => void }>;

const QUIET_MS = 1000;
const STEP_MS = 200;
const WIDTH = 30;

/** A bar on standard error, if that is a terminal and the work takes longer than a second. */
export async function createProgress(directory: string, world: CommandWorld): Promise<Progress> {
  const { numbers } = await readJournalDirectory(directory);
  const sizes = numbers.map(async (number) => (await stat(join(directory, toFileName(number)))).size);
  const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  let due = world.now() + QUIET_MS;
  let shown = false;
  return {
    report(bytesRead) {
      if (!world.errorIsTerminal || world.now() < due) return;
      due = world.now() + STEP_MS;
      shown = true;
      const part = total === 0 ? 1 : Math.min(1, bytesRead / total);
      const bar = '#'.repeat(Math.round(part * WIDTH)).padEnd(WIDTH, '.');
      world.writeError(`\r[${bar}] ${Math.round(part * 100)} %`);
    },
    end() {
      if (shown) world.writeError(`\r${' '.repeat(WIDTH + 10)}\r`);
    },
  };
}
