import { isCanonicalJson } from './canonical-json.ts';
import { toRecordHash } from './chain.ts';
import { SHAPES } from './shapes.ts';
import type { Shape } from './shapes.ts';
import { readRecord } from './parse-record.ts';
import type { AuditEvent } from './record.ts';

/** What the chain and the ends of intents are checked by. */
export type RecordLink = Readonly<{
  kind: AuditEvent['kind'];
  chain: string;
  seq: number;
  time: string;
  id: string;
  previous: string;
  hash: string;
  /** The intent that it closes. */
  intent?: string;
}>;

export type LinkReader = (line: string) => RecordLink | 'no record' | 'not as written';

/** A text without escapes; a number whose digits are certain to be those that ECMAScript writes (at most 15). */
const TEXT = String.raw`"[^"\\\x00-\x1f\ud800-\udfff]*"`;
const NUMBER = String.raw`(?:0|-?[1-9]\d{0,14}|-?(?:0|[1-9]\d{0,8})\.\d{0,4}[1-9])`;
const HEX = '"([0-9a-f]{64})"';
const CAPTURED_TEXT = `(${TEXT})`;

/** What stands in every record besides its event. */
const SEAL: Readonly<Record<string, string>> = {
  chain: CAPTURED_TEXT,
  hash: HEX,
  id: CAPTURED_TEXT,
  previous: HEX,
  seq: String.raw`([1-9]\d{0,14})`,
  time: CAPTURED_TEXT,
  v: '1',
};
const REQUIRED: ReadonlySet<string> = new Set(['source', 'resource', 'parameters', 'upstream', 'intent']);

/**
 * Reads the link of a line and checks that the line is, byte for byte, the canonical text of its record, and the hash
 * that of the text without it. Nearly every line is matched by one expression of its kind, which is true only of
 * canonical text; it is three times as fast as to parse it. The others are parsed.
 */
export function createLinkReader(): LinkReader {
  const patterns = new Map(
    Object.entries(SHAPES).map(([kind, shape]) => [kind, toPattern(kind, shape)] as const),
  );

  return (line) => {
    const pattern = patterns.get(/"kind":"([a-z]+)"/.exec(line)?.[1] ?? '');
    const link = pattern?.read(line) ?? parseLink(line);
    if (typeof link === 'string') return link;
    const member = `"hash":"${link.hash}",`;
    // No text holds its own hash a second time, and `kind` always follows.
    const at = line.indexOf(member);
    const unsealed = line.slice(0, at) + line.slice(at + member.length);
    return at !== -1 && toRecordHash(unsealed) === link.hash ? link : 'not as written';
  };
}

function parseLink(line: string): RecordLink | 'no record' | 'not as written' {
  const record = readRecord(line);
  if (record === undefined) return 'no record';
  return isCanonicalJson(line, record) ? record : 'not as written';
}

type Pattern = Readonly<{ read: (line: string) => RecordLink | undefined }>;

function toPattern(kind: string, shape: Shape): Pattern {
  const event = typeof shape === 'object' ? shape : {};
  const captures = Object.keys({ ...SEAL, ...event })
    .toSorted()
    .filter((name) => name === 'intent' || (name in SEAL && name !== 'v'));
  const index = (name: string) => captures.indexOf(name) + 1;
  const [chain, hash, id, previous] = [index('chain'), index('hash'), index('id'), index('previous')];
  const [seq, time, intent] = [index('seq'), index('time'), index('intent')];
  const expression = new RegExp(`^${toRecordSource(kind, event)}$`);

  return {
    read(line) {
      const found = expression.exec(line);
      if (found === null || !isKind(kind)) return undefined;
      const text = (at: number) => (found[at] ?? '').slice(1, -1);
      return {
        kind,
        chain: text(chain),
        seq: Number(found[seq]),
        time: text(time),
        id: text(id),
        previous: found[previous] ?? '',
        hash: found[hash] ?? '',
        ...(intent > 0 && { intent: text(intent) }),
      };
    },
  };
}

function toRecordSource(kind: string, event: Readonly<Record<string, Shape>>): string {
  const members = Object.keys({ ...SEAL, ...event })
    .toSorted()
    .map((name) => {
      const sealed = SEAL[name];
      if (sealed !== undefined) return toMemberSource(name, sealed, true);
      if (name === 'kind') return toMemberSource(name, `"${kind}"`, true);
      const required = REQUIRED.has(name) || (kind === 'intent' && name === 'actor');
      return toMemberSource(name, name === 'intent' ? CAPTURED_TEXT : toSource(event[name] ?? {}), required);
    });
  return toObjectSource(members);
}

function toSource(shape: Shape): string {
  if (shape === 'text') return TEXT;
  if (shape === 'number') return NUMBER;
  if (shape === 'texts') return String.raw`\[(?:${TEXT}(?:,${TEXT})*)?\]`;
  // More than one member would have to be compared for their order: those are parsed.
  if (shape === 'scalars') return String.raw`\{(?:${TEXT}:(?:${TEXT}|${NUMBER}|true|false))?\}`;
  const names = Object.keys(shape).toSorted();
  return toObjectSource(names.map((name) => toMemberSource(name, toSource(shape[name] ?? {}), false)));
}

function toMemberSource(name: string, value: string, required: boolean): string {
  return required ? `"${name}":${value}(?:,|(?=}))` : `(?:"${name}":${value}(?:,|(?=})))?`;
}

/** Every member takes its comma along, so the last one must not. */
function toObjectSource(members: readonly string[]): string {
  return String.raw`\{${members.join('')}(?<!,)\}`;
}

function isKind(kind: string): kind is AuditEvent['kind'] {
  return Object.hasOwn(SHAPES, kind);
}
