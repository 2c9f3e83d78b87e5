import { ProblemError } from '../errors.ts';

/** One comparison of `$filter`, its operator as OData writes it: in lower case. */
export type Comparison =
  /** `moment`: as it was asked for, because Graph tells moments apart that a JavaScript date cannot. */
  | Readonly<{ field: 'tokenExpirationDateTime'; operator: string; moment: string }>
  | Readonly<{ field: 'displayName'; operator: string; text: string }>;

const DATE = /^tokenExpirationDateTime ([A-Za-z]+) (\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?Z)/;
const NAME = /^displayName ([A-Za-z]+) '((?:[^'\p{Cc}]|''){0,256})'/u;
const NAME_FUNCTION = /^([A-Za-z]+)\(displayName, ?'((?:[^'\p{Cc}]|''){0,256})'\)/u;
const CONJUNCTION = ' and ';
const MOST_COMPARISONS = 4;

const DATE_OPERATORS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];
const NAME_OPERATORS = ['eq', 'ne'];
const NAME_FUNCTIONS = ['startswith', 'contains'];

/** OData 4.01 has operators and functions in any case, and Graph's documentation writes startsWith. */
const readKeyword = (keywords: readonly string[], text = ''): string | undefined =>
  keywords.find((keyword) => keyword === text.toLowerCase());

/** Whether there is such a moment: JavaScript takes the 30th of February for the 2nd of March. */
function isMoment(text: string): boolean {
  const at = Date.parse(text);
  const minute = 'yyyy-mm-ddThh:mm'.length;
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, minute) === text.slice(0, minute);
}

type Found = Readonly<{ comparison: Comparison; length: number }>;

function readDate(text: string): Found | undefined {
  const [{ length } = '', keyword, moment = ''] = DATE.exec(text) ?? [];
  const operator = readKeyword(DATE_OPERATORS, keyword);
  if (operator === undefined || !isMoment(moment)) return undefined;
  return { comparison: { field: 'tokenExpirationDateTime', operator, moment }, length };
}

function readName(text: string, pattern: RegExp, keywords: readonly string[]): Found | undefined {
  const [{ length } = '', keyword, quoted = ''] = pattern.exec(text) ?? [];
  const operator = readKeyword(keywords, keyword);
  if (operator === undefined) return undefined;
  return { comparison: { field: 'displayName', operator, text: quoted.replaceAll("''", "'") }, length };
}

const readComparison = (text: string): Found | undefined =>
  readDate(text) ?? readName(text, NAME, NAME_OPERATORS) ?? readName(text, NAME_FUNCTION, NAME_FUNCTIONS);

/**
 * `$filter` on `tokenExpirationDateTime` (eq, ne, lt, le, gt, ge) and `displayName` (eq, ne, startswith, contains), up to four
 * comparisons joined by `and`, these words in any case. Throws ProblemError `invalid_query` for all else.
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
    if (rest.slice(0, CONJUNCTION.length).toLowerCase() !== CONJUNCTION) break;
    rest = rest.slice(CONJUNCTION.length);
  }
  throw new ProblemError(
    'invalid_query',
    "$filter takes up to four comparisons joined by \"and\": tokenExpirationDateTime with eq, ne, lt, le, gt or ge and a moment in UTC that there is; displayName with eq or ne and a text, or startswith(displayName,'…') or contains(displayName,'…').",
  );
}

function toText(comparison: Comparison): string {
  if (comparison.field === 'tokenExpirationDateTime') {
    return `${comparison.field} ${comparison.operator} ${comparison.moment}`;
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
