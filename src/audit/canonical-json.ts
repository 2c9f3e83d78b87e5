/**
 * The JSON Canonicalization Scheme (RFC 8785): one text for one value, so that a hash of it means the value.
 * Members are sorted by the UTF-16 code units of their names (section 3.2.3); strings and numbers are written as
 * ECMAScript writes them (sections 3.2.2.2 and 3.2.2.3). Members that are `undefined` are left out.
 * Throws TypeError for what JSON (I-JSON, RFC 7493) cannot hold: NaN, infinities, lone surrogates, functions.
 */
export function toCanonicalJson(value: unknown): string {
  if (typeof value === 'string') return toCanonicalString(value);
  if (typeof value === 'number') return toCanonicalNumber(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(toCanonicalJson).join(',')}]`;
  if (isObject(value)) return `{${toCanonicalMembers(value)}}`;
  throw new TypeError(`a ${typeof value} has no canonical JSON`);
}

/** Without a comparison of their own, strings are sorted by UTF-16 code units, as section 3.2.3 asks. */
function toCanonicalMembers(object: Readonly<Record<string, unknown>>): string {
  return Object.keys(object)
    .toSorted()
    .filter((name) => object[name] !== undefined)
    .map((name) => `${toCanonicalString(name)}:${toCanonicalJson(object[name])}`)
    .join(',');
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Text without anything to escape and without surrogates, which is nearly all there is. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

function toCanonicalString(value: string): string {
  if (PLAIN.test(value)) return `"${value}"`;
  if (LONE_SURROGATE.test(value)) throw new TypeError('a lone surrogate has no canonical JSON');
  return JSON.stringify(value);
}

function toCanonicalNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`${value} has no canonical JSON`);
  return JSON.stringify(value);
}

/**
 * Whether a text is the canonical JSON of the value that was parsed from it. What ECMAScript parses and writes again
 * without a difference is canonical but for the order of members, which it keeps.
 */
export function isCanonicalJson(text: string, parsed: unknown): boolean {
  if (!text.includes('\\ud') && JSON.stringify(parsed) === text && isSorted(parsed)) return true;
  try {
    return toCanonicalJson(parsed) === text;
  } catch {
    return false;
  }
}

function isSorted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isSorted);
  let before = '';
  for (const [name, member] of Object.entries(value)) {
    if (name < before || (typeof member === 'object' && !isSorted(member))) return false;
    before = name;
  }
  return true;
}
