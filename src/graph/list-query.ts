import { ProblemError } from '../errors.ts';
import { parseFilter, toFilter, type Comparison } from './list-filter.ts';

/** The options of a list that are accepted, understood; nothing of the caller's text is passed on as it came. */
export type ListQuery = Readonly<{
  top?: number;
  skip?: number;
  /** Graph's own mark of where the next page begins. */
  skipToken?: string;
  filter?: readonly Comparison[];
  orderBy?: 'asc' | 'desc';
}>;

/** Graph's largest page. */
const MOST_ON_A_PAGE = 999;
const LONGEST_OPTION = 4096;

const invalid = (message: string) => new ProblemError('invalid_query', message);

type Bounds = readonly [least: number, most: number];
const BOUNDS = {
  $top: [1, MOST_ON_A_PAGE],
  $skip: [0, 1_000_000],
} as const satisfies Readonly<Record<string, Bounds>>;

/** A whole number within the bounds of `$top` or `$skip`; `undefined` for all else. */
export function readCount(text: string | undefined, name: keyof typeof BOUNDS): number | undefined {
  const [least, most]: Bounds = BOUNDS[name];
  const count = text !== undefined && /^(?:0|[1-9]\d{0,8})$/.test(text) ? Number(text) : Number.NaN;
  return count >= least && count <= most ? count : undefined;
}

function parseCount(text: string, name: keyof typeof BOUNDS): number {
  const count = readCount(text, name);
  if (count === undefined) throw invalid(`${name} must be a whole number from ${BOUNDS[name].join(' to ')}.`);
  return count;
}

/** Where Graph's pages go on: printable, of a sane length. Written percent-encoded wherever it goes. */
export const isSkipToken = (text: string): boolean =>
  text.length <= LONGEST_OPTION && /^[^\p{Cc}\p{Cs}]+$/u.test(text);

const ORDER = /^tokenExpirationDateTime(?: ([A-Za-z]+))?$/;
const DIRECTIONS = ['asc', 'desc'] as const;

/** By their names in lower case: OData 4.01 has them in any. */
const OPTIONS: Readonly<Record<string, (text: string) => ListQuery>> = {
  $top: (text) => ({ top: parseCount(text, '$top') }),
  $skip: (text) => ({ skip: parseCount(text, '$skip') }),
  $skiptoken: (text) => {
    if (!isSkipToken(text)) throw invalid('$skiptoken must be taken from @odata.nextLink as it is.');
    return { skipToken: text };
  },
  $filter: (text) => ({ filter: parseFilter(text) }),
  $orderby: (text) => {
    const [matched, direction = 'asc'] = ORDER.exec(text) ?? [];
    const orderBy = DIRECTIONS.find((known) => known === direction.toLowerCase());
    if (matched === undefined || !orderBy)
      throw invalid('$orderby takes tokenExpirationDateTime, with asc or desc.');
    return { orderBy };
  },
};

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalid('The query is not percent-encoded UTF-8.');
  }
}

/** The query of a list, without its `?`. Throws ProblemError `invalid_query`. */
export function parseListQuery(query: string): ListQuery {
  const seen = new Set<string>();
  let parsed: ListQuery = {};
  for (const pair of query === '' ? [] : query.split('&')) {
    const border = pair.includes('=') ? pair.indexOf('=') : pair.length;
    const name = decode(pair.slice(0, border)).toLowerCase();
    const parse = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
    if (!parse) throw invalid(`A list takes ${Object.keys(OPTIONS).join(', ')} and no other option.`);
    if (seen.has(name)) throw invalid(`${name} was given more than once.`);
    seen.add(name);
    parsed = { ...parsed, ...parse(decode(pair.slice(border + 1))) };
  }
  return parsed;
}

/** Written anew, percent-encoded, with the fields to be read when it goes to Graph. */
export function toQueryText(
  { top, skip, skipToken, filter, orderBy }: ListQuery,
  select: readonly string[] = [],
): string {
  const options = {
    $select: select.length > 0 ? select.join(',') : undefined,
    $top: top,
    $skip: skip,
    $filter: filter && toFilter(filter),
    $orderby: orderBy && `tokenExpirationDateTime ${orderBy}`,
    $skiptoken: skipToken,
  };
  return Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${name === '$select' ? value : encodeURIComponent(String(value))}`)
    .join('&');
}
