import { parseArgs } from 'node:util';
import { readFingerprint } from './command-hash.ts';
import { createProgress } from './command-progress.ts';
import { EXIT, UsageError, requireJournal } from './command-world.ts';
import type { CommandWorld } from './command-world.ts';
import { toEcsEvent } from './ecs.ts';
import { readEntries } from './entries.ts';
import { toEntryRow } from './entry-row.ts';
import type { EntryRow } from './entry-row.ts';
import { toOcsfEvent } from './ocsf.ts';
import { parseMoment } from './parse-moment.ts';
import { CSV_HEADER, TABLE_HEADER, toCsvLine, toTableLine } from './row-text.ts';
import { toNameFingerprint } from './privacy.ts';
import { ACTIONS, RESULTS, matches } from './search.ts';
import type { SearchQuery } from './search.ts';

type Format = Readonly<{ header?: string; lineEnd: string; toText: (row: EntryRow) => string }>;

const toJsonLines = (toValue: (row: EntryRow) => object): Format => ({
  lineEnd: '\n',
  toText: (row) => JSON.stringify(toValue(row)),
});
const TABLE: Format = { header: TABLE_HEADER, lineEnd: '\n', toText: toTableLine };
/** RFC 4180 section 2: each line ends in CRLF. */
const CSV: Format = { header: CSV_HEADER, lineEnd: '\r\n', toText: toCsvLine };
const JSON_LINES = toJsonLines((row) => row);
const EXPORTS: Readonly<Record<string, Format>> = {
  ocsf: toJsonLines(toOcsfEvent),
  ecs: toJsonLines(toEcsEvent),
};
/** Written at once, for speed. */
const BLOCK_CHARACTERS = 64 * 1024;

/** `search DIR --user … --csv` */
export async function runSearch(args: readonly string[], world: CommandWorld): Promise<number> {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      user: text,
      profile: text,
      client: text,
      action: text,
      result: text,
      since: text,
      until: text,
      'request-id': text,
      fingerprint: text,
      csv: { type: 'boolean' },
    },
  });
  requireOneOf('--action', values.action, ACTIONS);
  requireOneOf('--result', values.result, RESULTS);
  const directory = await requireJournal(positionals);
  const { user, since, until, csv, 'request-id': requestId, ...rest } = values;
  const query: SearchQuery = {
    ...rest,
    ...(requestId !== undefined && { requestId }),
    ...(since !== undefined && { since: parseMoment(since, world.now()) }),
    ...(until !== undefined && { until: parseMoment(until, world.now()) }),
    ...(user !== undefined && { user: await toUserNames(user, world) }),
  };
  const format = csv === true ? CSV : world.outputIsTerminal ? TABLE : JSON_LINES;
  return await printEntries(directory, world, format, (row) => matches(row, query));
}

/** `export DIR --format ocsf|ecs` */
export async function runExport(args: readonly string[], world: CommandWorld): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { format: { type: 'string' } },
  });
  const name = values.format ?? '';
  const format = Object.hasOwn(EXPORTS, name) ? EXPORTS[name] : undefined;
  if (format === undefined) throw new UsageError('Give --format ocsf or --format ecs.');
  return await printEntries(await requireJournal(positionals), world, format, () => true);
}

/** A word that no entry can have would find nothing, and that would look like an answer. */
function requireOneOf(option: string, word: string | undefined, known: readonly string[]): void {
  if (word === undefined || known.some((one) => one.toLowerCase() === word.toLowerCase())) return;
  throw new UsageError(`${option} takes ${known.join(', ')}, not "${word}".`);
}

/** A journal with pseudonyms holds the user's under the same key; older ones that of the name as Entra wrote it. */
async function toUserNames(user: string, { environment }: CommandWorld): Promise<readonly string[]> {
  const fingerprint = await readFingerprint(environment);
  return fingerprint === undefined ? [user] : [user, toNameFingerprint(user, fingerprint), fingerprint(user)];
}

async function printEntries(
  directory: string,
  world: CommandWorld,
  { header, lineEnd, toText }: Format,
  wanted: (row: EntryRow) => boolean,
): Promise<number> {
  const progress = await createProgress(directory, world);
  let block = header === undefined ? '' : `${header}${lineEnd}`;
  for await (const entry of readEntries(directory, progress.report)) {
    const row = toEntryRow(entry);
    if (!wanted(row)) continue;
    block += `${toText(row)}${lineEnd}`;
    if (block.length < BLOCK_CHARACTERS) continue;
    await world.write(block);
    block = '';
    if (world.closed()) break;
  }
  progress.end();
  await world.write(block);
  return EXIT.intact;
}
