import type { EntryRow } from './entry-row.ts';

type Column = keyof EntryRow;

const TABLE: readonly (readonly [column: Column, width: number])[] = [
  ['time', 24],
  ['action', 22],
  ['result', 7],
  ['status', 6],
  ['code', 20],
  ['count', 5],
  ['user', 32],
  ['profile', 41],
  ['requestId', 36],
];

const CSV: readonly Column[] = [
  'time',
  'action',
  'result',
  'status',
  'code',
  'count',
  'user',
  'objectId',
  'tenantId',
  'client',
  'set',
  'profile',
  'address',
  'userAgent',
  'requestId',
  'clientRequestId',
  'graphRequestId',
  'fingerprint',
  'id',
];

export const TABLE_HEADER = TABLE.map(([column, width]) => column.padEnd(width))
  .join('  ')
  .trimEnd();

/** A user without a name is shown by its id. */
export function toTableLine(row: EntryRow): string {
  const shown = { ...row, user: row.user ?? row.objectId };
  return TABLE.map(([column, width]) => toCell(shown[column]).padEnd(width))
    .join('  ')
    .trimEnd();
}

/** Nothing in a cell can steer the terminal. */
function toCell(value: string | number | undefined): string {
  return String(value ?? '').replace(/\p{Cc}/gu, '\uFFFD');
}

/** RFC 4180. */
export const CSV_HEADER = CSV.join(',');

export function toCsvLine(row: EntryRow): string {
  return CSV.map((column) => toCsvField(String(row[column] ?? ''))).join(',');
}

/** A spreadsheet takes a field that begins so for a formula (OWASP, CSV injection); an apostrophe makes it text. */
function toCsvField(text: string): string {
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
