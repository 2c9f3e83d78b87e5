import type { AuditRecord } from './record.ts';

/** What every record has, whatever its kind; the rest of a line is read by those who know the kind. */
const KINDS: ReadonlySet<unknown> = new Set([
  'start',
  'stop',
  'intent',
  'outcome',
  'refusal',
  'recovered',
  'settled',
]);
/** The members by which each kind is read, beyond the common ones. */
const OBJECTS: Readonly<Record<string, readonly string[]>> = {
  intent: ['actor', 'source', 'resource', 'parameters'],
  outcome: ['upstream'],
  refusal: ['source'],
};
const CLOSING: ReadonlySet<unknown> = new Set(['outcome', 'recovered', 'settled']);
const HASH = /^[0-9a-f]{64}$/;

/** A line of the journal as a record, or `undefined` if it is none. The hash is not checked here. */
export function readRecord(line: string): AuditRecord | undefined {
  const value = readJson(line);
  return isRecord(value) ? value : undefined;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is AuditRecord {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const { v, chain, seq, time, kind, id, previous, hash, intent } = fields;
  return (
    typeof kind === 'string' &&
    v === 1 &&
    KINDS.has(kind) &&
    Number.isSafeInteger(seq) &&
    [chain, time, id].every((text) => typeof text === 'string') &&
    [previous, hash].every((text) => typeof text === 'string' && HASH.test(text)) &&
    (!CLOSING.has(kind) || typeof intent === 'string') &&
    (OBJECTS[kind] ?? []).every((name) => typeof fields[name] === 'object' && fields[name] !== null)
  );
}
