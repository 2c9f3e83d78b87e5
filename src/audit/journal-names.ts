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
  const number = /^audit-(\d{6,15})\.jsonl$/.exec(name)?.[1];
  if (number !== undefined) return { kind: 'records', number: Number(number) };
  // `lost+found` stands in the root of every ext4 volume, and containers mount a volume by its root.
  const aside = /^(audit-\d{6,15}\.jsonl(\.\d+)?\.torn|\.lock-.*|lost\+found)$/.test(name);
  return { kind: aside ? 'aside' : 'foreign' };
}
