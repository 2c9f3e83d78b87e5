import { parseArgs } from 'node:util';
import { createProgress } from './command-progress.ts';
import { EXIT, UsageError, requireDirectory, requireJournal } from './command-world.ts';
import type { CommandWorld } from './command-world.ts';
import { readJournalDirectory } from './journal-directory.ts';
import { verifyJournal } from './verify.ts';
import type { Defect, Verification } from './verify.ts';

const HASH = /^[0-9a-f]{64}$/;
const OPEN_SHOWN = 10;

/** `verify DIR [--head [HASH]] [--from HASH]` */
export async function runVerify(args: readonly string[], world: CommandWorld): Promise<number> {
  const { values, positionals } = parseArgs({
    args: args.map((arg, index) => (isBareHead(arg, args[index + 1]) ? '--print-head' : arg)),
    allowPositionals: true,
    options: {
      head: { type: 'string' },
      'print-head': { type: 'boolean' },
      from: { type: 'string' },
    },
  });
  for (const hash of [values.head, values.from]) {
    if (hash !== undefined && !HASH.test(hash)) throw new UsageError('A hash is 64 hexadecimal digits.');
  }
  // What was expected of a directory that is empty now, it misses: that is a finding, not a wrong call.
  const expected = values.head ?? values.from;
  const directory = await (expected === undefined ? requireContent : requireDirectory)(positionals);
  const progress = await createProgress(directory, world);
  const { head, from } = values;
  const verification = await verifyJournal(directory, {
    ...(head !== undefined && { head }),
    ...(from !== undefined && { from }),
    onProgress: progress.report,
  });
  progress.end();
  const intact = verification.defect === undefined;
  const onlyHead = values['print-head'] === true && intact;
  await world.write(onlyHead ? `${verification.head}\n` : toReport(verification));
  if (!intact) return EXIT.broken;
  return verification.open.length > 0 ? EXIT.openIntents : EXIT.intact;
}

/** Where only a foreign file lies, that is a finding as well. */
async function requireContent(positionals: readonly string[]): Promise<string> {
  const directory = await requireDirectory(positionals);
  const { foreign } = await readJournalDirectory(directory);
  return foreign.length > 0 ? directory : await requireJournal(positionals);
}

/** `--head` takes a value or none, which `parseArgs` does not know. */
function isBareHead(arg: string, next: string | undefined): boolean {
  return arg === '--head' && (next === undefined || !HASH.test(next));
}

function toReport(verification: Verification): string {
  const { files, records, chains, first, last, head, behindHead, open, defect } = verification;
  const lines = [
    `records  ${records} in ${files} files, ${chains} chains`,
    `time     ${first ?? '-'} to ${last ?? '-'}`,
    `head     ${head}`,
    ...(behindHead === undefined ? [] : [`         ${behindHead} records behind the expected head`]),
    `open     ${open.length} intents without an end`,
    ...open.slice(0, OPEN_SHOWN).map((id) => `         ${id}`),
    defect === undefined ? 'intact' : `broken: ${toDefectText(defect)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function toDefectText(defect: Defect): string {
  const place = 'file' in defect ? `${defect.file} ` : '';
  const line = 'line' in defect ? `line ${defect.line} seq ${defect.seq ?? '?'} ` : '';
  return `${place}${line}${defect.kind}: ${defect.detail}`;
}
