/** Which names an audit directory holds, and what each is. */
export type JournalName =
  | Readonly<{ kind: 'records'; number: number }>
  /** Beside the records, and no part of the chain: torn tails, locks. */
  | Readonly<{ kind: 'aside' }>
  | Readonly<{ kind: 'foreign' }>;

export function toFileName(number: number): string {
  return `audit-${String(number).padStart(6, '0')}.jsonl`;
}

/** `count` is 1 for the first torn tail of a file, which has the plain name. */
export function toTornName(fileName: string, count: number): string {
  return count === 1 ? `${fileName}.torn` : `${fileName}.${count}.torn`;
}

export function parseJournalName(name: string): JournalName {
  const [, file, tail] = /^(audit-\d{6,15}\.jsonl)((?:\.\d+)?\.torn)?$/.exec(name) ?? [];
  const number = file === undefined ? undefined : readFileNumber(file);
  if (number !== undefined) return tail === undefined ? { kind: 'records', number } : { kind: 'aside' };
  // `lost+found` stands in the root of every ext4 volume, and containers mount a volume by its root.
  return { kind: /^(\.lock-.*|lost\+found)$/.test(name) ? 'aside' : 'foreign' };
}

/** Of a name that the journal gives itself: with more zeros in front, it would be a second name of the same file. */
function readFileNumber(file: string): number | undefined {
  const number = Number(file.slice('audit-'.length, -'.jsonl'.length));
  return number > 0 && toFileName(number) === file ? number : undefined;
}
