import { NEVER, type Profile } from './profile.ts';

/** A query option that Graph would refuse. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

const OPTIONS = new Set(['$select', '$top', '$skip', '$skiptoken', '$filter', '$orderby', '$count']);

/** Blank unless named in `$select`. */
const HIDDEN = { tokenValue: '', tokenExpirationDateTime: NEVER, qrCodeContent: '', qrCodeImage: null };

export function requireKnownOptions(query: URLSearchParams): void {
  for (const name of query.keys()) {
    if (!OPTIONS.has(name)) throw new QueryError(`The query specified in the URI is not valid: ${name}.`);
  }
}

/** `$select`: the named properties; without it all, the secrets blank. */
export function select(profile: Profile, query: URLSearchParams): Readonly<Record<string, unknown>> {
  const names = query
    .get('$select')
    ?.split(',')
    .map((name) => name.trim());
  if (names === undefined) return { ...profile, ...HIDDEN };
  const unknown = names.find((name) => !(name in profile));
  if (unknown !== undefined) throw new QueryError(`Could not find a property named '${unknown}'.`);
  return Object.fromEntries([['id', profile.id], ...names.map((name) => [name, profile[name]])]);
}

export type Page = Readonly<{ value: readonly Profile[]; total: number; next: string | undefined }>;

/** `$filter`, `$orderby`, `$skip`, `$top` (the size of a page); `next` is the query of the following page. */
export function toPage(profiles: readonly Profile[], query: URLSearchParams, pageSize: number): Page {
  const matching = order(profiles.filter(toPredicate(query.get('$filter'))), query.get('$orderby'));
  const start = readCount(query, '$skip') ?? Number(query.get('$skiptoken') ?? 0);
  const size = Math.min(readCount(query, '$top') ?? pageSize, pageSize);
  const value = matching.slice(start, start + size);
  if (start + size >= matching.length) return { value, total: matching.length, next: undefined };
  const next = new URLSearchParams(query);
  next.delete('$skip');
  next.set('$skiptoken', String(start + size));
  return { value, total: matching.length, next: next.toString() };
}

function readCount(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,6}$/.test(text))
    throw new QueryError(`Invalid value '${text}' for ${name} query option found.`);
  return Number(text);
}

type Predicate = (profile: Profile) => boolean;

/** Comparisons joined by `and`. */
function toPredicate(filter: string | null): Predicate {
  if (filter === null) return () => true;
  const predicates = filter.split(/ and (?=(?:[^']*'[^']*')*[^']*$)/).map(toComparison);
  return (profile) => predicates.every((matches) => matches(profile));
}

const COMPARE: Readonly<Record<string, (actual: number, wanted: number) => boolean>> = {
  eq: (actual, wanted) => actual === wanted,
  ne: (actual, wanted) => actual !== wanted,
  lt: (actual, wanted) => actual < wanted,
  le: (actual, wanted) => actual <= wanted,
  gt: (actual, wanted) => actual > wanted,
  ge: (actual, wanted) => actual >= wanted,
};

function toComparison(filter: string): Predicate {
  const date = /^(\w+DateTime) (eq|ne|lt|le|gt|ge) (\d{4}-[\d:.T-]+Z)$/.exec(filter);
  if (date) {
    const [, name = '', operator = '', moment = ''] = date;
    return (profile) => COMPARE[operator]?.(Date.parse(String(profile[name])), Date.parse(moment)) ?? false;
  }
  const equality = /^(\w+) (eq|ne) '((?:[^']|'')*)'$/.exec(filter);
  const call = /^(startswith|contains)\((\w+), ?'((?:[^']|'')*)'\)$/i.exec(filter);
  const [, name = '', value = ''] = equality
    ? [...equality.slice(0, 2), equality[3] ?? '']
    : (call?.slice(1) ?? []);
  if (name === '') throw new QueryError('Invalid filter clause.');
  const wanted = value.replaceAll("''", "'");
  return (profile) => {
    const actual = String(profile[name]);
    if (call) return call[1] === 'contains' ? actual.includes(wanted) : actual.startsWith(wanted);
    return equality?.[2] === 'ne' ? actual !== wanted : actual === wanted;
  };
}

function order(profiles: readonly Profile[], orderBy: string | null): readonly Profile[] {
  if (orderBy === null) return profiles;
  const match = /^(\w+)(?: (asc|desc))?$/.exec(orderBy);
  if (match === null) throw new QueryError('Invalid orderby clause.');
  const [, name = '', direction] = match;
  const sign = direction === 'desc' ? -1 : 1;
  return profiles.toSorted((a, b) => sign * String(a[name]).localeCompare(String(b[name])));
}
