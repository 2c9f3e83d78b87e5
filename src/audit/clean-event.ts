import type { AuditEvent } from './record.ts';

/** No text in the journal is longer, in UTF-16 code units: what a caller sends must not fill the disk. */
export const MAX_TEXT_LENGTH = 256;
const MAX_LIST_LENGTH = 64;
const MAX_PARAMETERS = 32;

export type Shape = 'text' | 'number' | 'texts' | 'scalars' | { readonly [name: string]: Shape };

const actor: Shape = {
  tenantId: 'text',
  objectId: 'text',
  userPrincipalName: 'text',
  clientId: 'text',
  tokenId: 'text',
  scopes: 'texts',
};
const source: Shape = { address: 'text', userAgent: 'text' };
const process: Shape = { kind: 'text', version: 'text', node: 'text', configHash: 'text' };
const closing: Shape = { kind: 'text', intent: 'text', result: 'text' };

/** The fields of the contract (section 7), kind by kind. */
export const SHAPES: Readonly<Record<AuditEvent['kind'], Shape>> = {
  start: process,
  stop: process,
  intent: {
    kind: 'text',
    action: 'text',
    actor,
    source,
    resource: { set: 'text', id: 'text' },
    parameters: 'scalars',
    requestId: 'text',
    clientRequestId: 'text',
    idempotencyKeyHash: 'text',
  },
  outcome: {
    ...closing,
    status: 'number',
    code: 'text',
    upstream: { requestId: 'text', status: 'number', attempts: 'number', durationMs: 'number' },
    tokenFingerprint: 'text',
  },
  refusal: {
    kind: 'text',
    action: 'text',
    actor,
    source,
    status: 'number',
    code: 'text',
    count: 'number',
  },
  recovered: closing,
  settled: closing,
};

/**
 * The event with the fields of the contract and nothing else, every text bounded and free of lone surrogates. A field
 * that a caller of the journal adds by mistake (a body, a header, a token) cannot reach the disk.
 */
export function cleanEvent<Event extends AuditEvent>(event: Event): Event {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- SHAPES is the type once more, as data
  return clean(event, SHAPES[event.kind]) as Event;
}

function clean(value: unknown, shape: Shape): unknown {
  if (shape === 'text') return typeof value === 'string' ? cleanText(value) : undefined;
  if (shape === 'number') return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  if (shape === 'texts') return Array.isArray(value) ? cleanTexts(value) : undefined;
  if (!isObject(value)) return undefined;
  if (shape === 'scalars') {
    return Object.fromEntries(Object.entries(value).slice(0, MAX_PARAMETERS).flatMap(cleanScalar));
  }
  // Member by member in the order of the shape: records of a kind are then objects of one layout to the engine.
  const cleaned: Record<string, unknown> = {};
  for (const name in shape) {
    const inner = shape[name];
    const member = inner === undefined ? undefined : clean(value[name], inner);
    if (member !== undefined) cleaned[name] = member;
  }
  return cleaned;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Nearly all there is: nothing of it can be a surrogate. */
const PLAIN = /^[\x20-\x7e]*$/;

function cleanText(text: string): string {
  const bounded = text.length > MAX_TEXT_LENGTH ? text.slice(0, MAX_TEXT_LENGTH) : text;
  return PLAIN.test(bounded) ? bounded : bounded.replace(/\p{Surrogate}/gu, '\uFFFD');
}

function cleanTexts(texts: readonly unknown[]): readonly string[] {
  return texts
    .slice(0, MAX_LIST_LENGTH)
    .filter((text) => typeof text === 'string')
    .map(cleanText);
}

function cleanScalar([name, value]: readonly [string, unknown]): readonly (readonly [string, unknown])[] {
  const cleaned = typeof value === 'boolean' ? value : (clean(value, 'number') ?? clean(value, 'text'));
  return cleaned === undefined ? [] : [[cleanText(name), cleaned]];
}
