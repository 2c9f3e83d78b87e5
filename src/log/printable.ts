import { Secret } from '../secret.ts';
import { isSecretKey, redactText } from './redact-text.ts';

/** What JSON can say. */
export type Printable =
  string | number | boolean | null | readonly Printable[] | { readonly [name: string]: Printable };

const MAX_DEPTH = 8;
const MAX_VALUES = 500;
const MAX_CHARACTERS = 4096;

/** Cut before it is looked at, so that a huge text costs no more than a long one. */
function toPrintableText(text: string): string {
  const redacted = redactText(text.slice(0, 2 * MAX_CHARACTERS));
  return redacted.length > MAX_CHARACTERS || text.length > 2 * MAX_CHARACTERS
    ? `${redacted.slice(0, MAX_CHARACTERS)}…`
    : redacted;
}

/** The parts of an error that are printed: whatever else hangs on one (a request, its headers, its body) is not. */
const ERROR_PARTS = [
  'name',
  'message',
  'code',
  'kind',
  'reason',
  'status',
  'stack',
  'cause',
  'errors',
] as const;

function toNames(value: object): readonly string[] {
  return value instanceof Error ? ERROR_PARTS.filter((name) => name in value) : Object.keys(value);
}

type Name = Readonly<{ text: string; isSecret: boolean }>;

const MAX_NAMES = 500;
const MAX_NAME_LENGTH = 64;

/** What becomes of the name of a field. Lines have the same few names, so they are remembered. */
function createReadName(): (name: string) => Name {
  const names = new Map<string, Name>();

  return (name) => {
    const known = names.get(name);
    if (known) return known;
    const read = { text: toPrintableText(name), isSecret: isSecretKey(name) };
    if (names.size < MAX_NAMES && name.length <= MAX_NAME_LENGTH) names.set(name, read);
    return read;
  };
}

/** By assignment this name would set a prototype. */
function defineMember(members: object, name: '__proto__', value: Printable): void {
  Object.defineProperty(members, name, { value, enumerable: true });
}

function readMember(value: object, name: string): unknown {
  try {
    return Reflect.get(value, name);
  } catch {
    return '[unreadable]';
  }
}

/**
 * Any value as JSON may print it, whatever it is: never throws, never loops, is bounded in depth, number and length, and
 * holds no secret that can be told by its type, its name or its looks.
 */
export function createToPrintable(): (value: unknown) => Printable {
  const readName = createReadName();
  return (value) => print(value, readName);
}

function print(value: unknown, readName: (name: string) => Name): Printable {
  const ancestors: object[] = [];
  let remaining = MAX_VALUES;

  function visitObject(value: object): Printable {
    if (value instanceof Secret) return value.toJSON();
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
    if (value instanceof URL) return toPrintableText(value.href);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
    if (ancestors.includes(value)) return '[circular]';
    if (ancestors.length >= MAX_DEPTH) return '[too deep]';
    ancestors.push(value);
    try {
      if (value instanceof Map) return visitObject(Object.fromEntries(value));
      if (value instanceof Set) return visitObject([...value]);
      if (Array.isArray(value)) return value.slice(0, MAX_VALUES).map(visit);
      const members: Record<string, Printable> = {};
      for (const name of toNames(value)) {
        const member = readMember(value, name);
        if (member === undefined || remaining <= 0) continue;
        const { text, isSecret } = readName(name);
        const printed = isSecret ? '[redacted]' : visit(member);
        if (text === '__proto__') defineMember(members, text, printed);
        else members[text] = printed;
      }
      return members;
    } finally {
      ancestors.pop();
    }
  }

  function visit(value: unknown): Printable {
    remaining -= 1;
    if (remaining < 0) return '[too much]';
    try {
      if (typeof value === 'string') return toPrintableText(value);
      if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
      if (typeof value === 'boolean' || value === null) return value;
      if (typeof value === 'object') return visitObject(value);
      return typeof value === 'bigint' ? String(value) : `[${typeof value}]`;
    } catch {
      return '[unprintable]';
    }
  }

  return visit(value);
}
