import { toCanonicalJson } from './canonical-json.ts';
import type { AuditEvent, RecordSeal } from './record.ts';
import { SHAPES, type Shape } from './shapes.ts';

/** No text in the journal is longer, in UTF-16 code units: what a caller sends must not fill the disk. */
export const MAX_TEXT_LENGTH = 256;
const MAX_LIST_LENGTH = 64;
const MAX_PARAMETERS = 32;

/** The members of a record but `hash` as canonical JSON (RFC 8785) without the braces: those that stand before it, those behind. */
export type RecordText = Readonly<{ before: string; behind: string }>;

/** The canonical text of a value, `undefined` for one that does not fit its shape. */
type Write = (value: unknown) => string | undefined;
type Member = Readonly<{ name: string; label: string; isSealed: boolean; write: Write }>;
type Members = Readonly<{ before: readonly Member[]; behind: readonly Member[] }>;

type Fields = Readonly<Record<string, unknown>>;

const SEALED: Readonly<Record<keyof Omit<RecordSeal, 'hash'>, Write>> = {
  v: writeNumber,
  chain: writeText,
  seq: writeNumber,
  time: writeText,
  id: writeText,
  previous: writeText,
};

/**
 * Writes records in one go: the fields of the contract and nothing else, in canonical order, every text bounded and free of lone
 * surrogates. A field that a caller of the journal adds by mistake (a body, a header, a token) cannot reach the disk.
 */
export function createRecordText(): (event: AuditEvent, seal: Omit<RecordSeal, 'hash'>) => RecordText {
  const membersOf = new Map<AuditEvent['kind'], Members>();

  return (event, seal) => {
    const members = membersOf.get(event.kind) ?? toRecordMembers(SHAPES[event.kind]);
    membersOf.set(event.kind, members);
    return {
      before: writeMembers(members.before, event, seal),
      behind: writeMembers(members.behind, event, seal),
    };
  };
}

function toRecordMembers(shape: Shape): Members {
  const sealed = Object.entries(SEALED).map(([name, write]) => toMember(name, write, true));
  const members = [...toMembers(shape), ...sealed].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return {
    before: members.filter(({ name }) => name < 'hash'),
    behind: members.filter(({ name }) => name > 'hash'),
  };
}

const toMembers = (shape: Shape): readonly Member[] =>
  Object.entries(shape)
    .map(([name, inner]) => toMember(name, toWrite(inner), false))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));

const toMember = (name: string, write: Write, isSealed: boolean): Member => ({
  name,
  label: `${toCanonicalJson(name)}:`,
  isSealed,
  write,
});

function toWrite(shape: Shape): Write {
  if (shape === 'text') return writeText;
  if (shape === 'number') return writeNumber;
  if (shape === 'texts') return writeTexts;
  if (shape === 'scalars') return writeScalars;
  const members = toMembers(shape);
  return (value) => (isFields(value) ? `{${writeMembers(members, value, value)}}` : undefined);
}

function writeMembers(members: readonly Member[], event: Fields, seal: Fields): string {
  let text = '';
  for (const { name, label, isSealed, write } of members) {
    const value = write((isSealed ? seal : event)[name]);
    if (value === undefined) continue;
    text += text === '' ? label : `,${label}`;
    text += value;
  }
  return text;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Text without anything to escape and without surrogates, which is nearly all there is. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

const toCleanText = (text: string): string =>
  text.slice(0, MAX_TEXT_LENGTH).replace(/\p{Surrogate}/gu, '\uFFFD');

function writeText(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  return value.length <= MAX_TEXT_LENGTH && PLAIN.test(value)
    ? `"${value}"`
    : toCanonicalJson(toCleanText(value));
}

function writeNumber(value: unknown): string | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? toCanonicalJson(value) : undefined;
}

function writeTexts(value: unknown): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts: readonly unknown[] = value.slice(0, MAX_LIST_LENGTH);
  return `[${texts.map(writeText).filter(Boolean).join(',')}]`;
}

function writeScalars(value: unknown): string | undefined {
  if (!isFields(value)) return undefined;
  const members = new Map<string, string>();
  for (const name of Object.keys(value).slice(0, MAX_PARAMETERS)) {
    const text = writeScalar(value[name]);
    if (text !== undefined) members.set(toCleanText(name), text);
  }
  const names = [...members.keys()].toSorted();
  return `{${names.map((name) => `${toCanonicalJson(name)}:${members.get(name)}`).join(',')}}`;
}

function writeScalar(value: unknown): string | undefined {
  return typeof value === 'boolean' ? String(value) : (writeNumber(value) ?? writeText(value));
}
