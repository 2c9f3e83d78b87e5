import { join } from 'node:path';
import { toFileName } from './journal-names.ts';
import { readLines } from './read-lines.ts';
import type { Line } from './read-lines.ts';

const WRITE_MAY_TAKE_MS = 100;

/**
 * The lines of one file of a journal that may be in use: half a line at the end of the newest file is looked at
 * once more, as its other half may be on its way.
 */
export async function* readJournalLines(
  directory: string,
  number: number,
  newest: boolean,
): AsyncGenerator<readonly Line[]> {
  const path = join(directory, toFileName(number));
  let half: Line | undefined;
  let from = 0;
  do {
    const before = half;
    half = undefined;
    for await (const lines of readLines(path, from)) {
      const last = lines.at(-1);
      if (newest && last !== undefined && !last.terminated && last.end !== before?.end) half = last;
      yield half === undefined ? lines : lines.slice(0, -1);
    }
    if (half !== undefined) {
      from = half.start;
      await new Promise((resolve) => {
        setTimeout(resolve, WRITE_MAY_TAKE_MS);
      });
    }
  } while (half !== undefined);
}
