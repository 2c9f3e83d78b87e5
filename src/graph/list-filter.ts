import { ProblemError } from '../errors.ts';

/** One comparison of `$filter`. */
export type Comparison =
  | Readonly<{ field: 'tokenExpirationDateTime'; operator: string; at: number }>
  | Readonly<{ field: 'displayName'; operator: string; text: string }>;

const DATE =
  /^tokenExpirationDateTime (eq|ne|lt|le|gt|ge) (\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?Z)/;
const NAME = /^displayName (eq|ne) '((?:[^'\p{Cc}]|''){0,256})'/u;
const NAME_FUNCTION = /^(startswith|contains)\(displayName, ?'((?:[^'\p{Cc}]|''){0,256})'\)/u;
const CONJUNCTION = ' and ';
const MOST_COMPARISONS = 4;

function readComparison(text: string): Readonly<{ comparison: Comparison; length: number }> | undefined {
  const date = DATE.exec(text);
  if (date) {
    const [{ length }, operator = '', moment = ''] = date;
    const at = Date.parse(moment);
    return Number.isNaN(at)
      ? undefined
      : { comparison: { field: 'tokenExpirationDateTime', operator, at }, length };
  }
  const name = NAME.exec(text) ?? NAME_FUNCTION.exec(text);
  if (!name) return undefined;
  const [{ length }, operator = '', quoted = ''] = name;
  return { comparison: { field: 'displayName', operator, text: quoted.replaceAll("''", "'") }, length };
}

/**
 * `$filter` on `tokenExpirationDateTime` (eq, ne, lt, le, gt, ge) and `displayName` (eq, ne, startswith, contains), up to four
 * comparisons joined by `and`. Throws ProblemError `invalid_query` for all else.
 */
export function parseFilter(filter: string): readonly Comparison[] {
  const comparisons: Comparison[] = [];
  let rest = filter;
  for (;;) {
    const found = readComparison(rest);
    if (!found || comparisons.length === MOST_COMPARISONS) break;
    comparisons.push(found.comparison);
    rest = rest.slice(found.length);
    if (rest === '') return comparisons;
    if (!rest.startsWith(CONJUNCTION)) break;
    rest = rest.slice(CONJUNCTION.length);
  }
  throw new ProblemError(
    'invalid_query',
    "$filter takes up to four comparisons joined by \"and\": tokenExpirationDateTime with eq, ne, lt, le, gt or ge and a moment in UTC; displayName with eq or ne and a text, or startswith(displayName,'…') or contains(displayName,'…').",
  );
}

function toText(comparison: Comparison): string {
  if (comparison.field === 'tokenExpirationDateTime') {
    return `${comparison.field} ${comparison.operator} ${new Date(comparison.at).toISOString()}`;
  }
  const { field, operator, text } = comparison;
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return operator === 'eq' || operator === 'ne'
    ? `${field} ${operator} ${quoted}`
    : `${operator}(${field},${quoted})`;
}

/** The filter written anew, from what was understood. */
export const toFilter = (comparisons: readonly Comparison[]): string =>
  comparisons.map(toText).join(CONJUNCTION);
