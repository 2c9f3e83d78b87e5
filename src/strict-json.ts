/** Deeper than any document this service reads; a bound, so that no input is walked without one. */
const MAX_DEPTH = 32;

/**
 * JSON (RFC 8259) for input that is not trusted: member names must be unique (RFC 7493 section 2.3), `__proto__` is no
 * name, nesting ends at 32. What two parsers would read differently is read by none.
 * @throws {SyntaxError} whose message never quotes the input.
 */
export function parseStrictJson(text: string): unknown {
  const value = parseJson(text);
  refuseAmbiguity(text);
  return value;
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw new SyntaxError('not valid JSON');
  }
}

/** Walks the tokens of a text that is known to be valid JSON: there, a string followed by a colon is a member name. */
function refuseAmbiguity(text: string): void {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '{' || char === '[') {
      if (open.push(new Set()) > MAX_DEPTH) throw new SyntaxError(`nested deeper than ${MAX_DEPTH} levels`);
    } else if (char === '}' || char === ']') {
      open.pop();
    } else if (char === '"') {
      const end = endOfString(text, at);
      if (isFollowedByColon(text, end)) refuseRepeatedName(text.slice(at, end), open.at(-1));
      at = end - 1;
    }
  }
}

/** The index after the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function isFollowedByColon(text: string, end: number): boolean {
  let at = end;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at += 1;
  return text[at] === ':';
}

function refuseRepeatedName(literal: string, names: Set<string> | undefined): void {
  const name = String(JSON.parse(literal));
  if (name === '__proto__') throw new SyntaxError('"__proto__" is not accepted as a member name');
  if (names?.has(name) === true) throw new SyntaxError('a member is given twice');
  names?.add(name);
}
