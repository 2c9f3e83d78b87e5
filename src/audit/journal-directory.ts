import { readdir } from 'node:fs/promises';
import { parseJournalName } from './journal-names.ts';

/** The numbers of the record files of an audit directory, oldest first. */
export async function readFileNumbers(directory: string): Promise<readonly number[]> {
  const numbers = (await readdir(directory)).flatMap((name) => {
    const parsed = parseJournalName(name);
    return parsed.kind === 'records' ? [parsed.number] : [];
  });
  return numbers.toSorted((a, b) => a - b);
}
