import { GENESIS_HASH } from './chain.ts';
import { createChainCheck } from './chain-check.ts';
import type { ChainDefect } from './chain-check.ts';
import { readJournalDirectory } from './journal-directory.ts';
import { toFileName } from './journal-names.ts';
import { readJournalLines } from './journal-lines.ts';

export type Defect =
  | ChainDefect
  | Readonly<{ kind: 'truncated'; detail: string }>
  | Readonly<{ kind: 'foreign file'; file: string; detail: string }>;

/** What a reading of the whole journal found. */
export type Verification = Readonly<{
  files: number;
  bytes: number;
  records: number;
  chains: number;
  /** Times of the first and the last record. */
  first: string | undefined;
  last: string | undefined;
  /** `hash` of the last record. */
  head: string;
  /** Records behind the expected head; absent if none was expected. */
  behindHead: number | undefined;
  /** Ids of the intents without `outcome` or `recovered`. */
  open: readonly string[];
  /** The first one; nothing behind it was read. */
  defect: Defect | undefined;
}>;

export type VerifyOptions = Readonly<{
  /** `previous` of the first record, where retention removed older files; default: 64 zeros. */
  from?: string;
  /** A hash kept elsewhere that the journal must contain: without it, records are missing at the end. */
  head?: string;
  onProgress?: (bytesRead: number) => void;
}>;

/** Reads the journal once, in memory that does not grow with it. */
export async function verifyJournal(directory: string, options: VerifyOptions = {}): Promise<Verification> {
  const { from, head, onProgress } = options;
  const { numbers, foreign } = await readJournalDirectory(directory);
  const check = createChainCheck(from ?? GENESIS_HASH, from !== undefined);
  let bytes = 0;
  let behindHead = head === (from ?? GENESIS_HASH) ? 0 : undefined;
  let defect: Defect | undefined;

  reading: for (const number of numbers) {
    const file = toFileName(number);
    let line = 0;
    for await (const lines of readJournalLines(directory, number, number === numbers.at(-1))) {
      for (const { text, start, end, terminated } of lines) {
        line += 1;
        bytes += end - start;
        defect = check.add({ file, line, text, terminated });
        if (defect !== undefined) break reading;
        if (behindHead !== undefined) behindHead += 1;
        else if (check.head() === head) behindHead = 0;
      }
      onProgress?.(bytes);
    }
  }
  defect ??= check.end() ?? toForeignDefect(foreign[0]);
  const summary = check.summary();
  if (head !== undefined && behindHead === undefined) {
    defect ??= { kind: 'truncated', detail: `the journal does not contain the head ${head}` };
  }
  if (from !== undefined && summary.records === 0) {
    defect ??= { kind: 'truncated', detail: `no record continues ${from}` };
  }
  return { files: numbers.length, bytes, ...summary, head: check.head(), behindHead, defect };
}

function toForeignDefect(file: string | undefined): Defect | undefined {
  return file === undefined
    ? undefined
    : { kind: 'foreign file', file, detail: 'it is no part of an audit journal' };
}
