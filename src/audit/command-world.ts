import { stat } from 'node:fs/promises';
import { readJournalDirectory } from './journal-directory.ts';

/** The world of one command; `write` resolves when there is room for more, and `closed` tells that nobody reads on. */
export type CommandWorld = Readonly<{
  environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  now: () => number;
  write: (text: string) => Promise<void>;
  writeError: (text: string) => void;
  closed: () => boolean;
  readInput: () => Promise<string>;
  /** Whether each goes to a person. */
  inputIsTerminal: boolean;
  outputIsTerminal: boolean;
  errorIsTerminal: boolean;
}>;

export const EXIT = { intact: 0, failed: 1, broken: 2, openIntents: 3, usage: 64 } as const;

/** The command was called wrongly; its message says how, `withHelp` whether the usage helps. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly withHelp: boolean;

  constructor(message: string, withHelp = true) {
    super(message);
    this.withHelp = withHelp;
  }
}

export async function requireDirectory(positionals: readonly string[]): Promise<string> {
  const [directory, ...more] = positionals;
  if (directory === undefined || more.length > 0) throw new UsageError('Name one audit directory.');
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new UsageError(`There is no directory ${directory}.`, false);
  return directory;
}

/** A directory with at least one record file. */
export async function requireJournal(positionals: readonly string[]): Promise<string> {
  const directory = await requireDirectory(positionals);
  const { numbers } = await readJournalDirectory(directory);
  if (numbers.length > 0) return directory;
  throw new UsageError(`The directory ${directory} holds no audit journal.`, false);
}
