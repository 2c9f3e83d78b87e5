import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { AnswerHeaders } from '../http/answer.ts';
import { toGraphError, toIntuneError } from '../graph/error-body.ts';

type Body = Readonly<{ headers: AnswerHeaders; body: Buffer }>;
type ToBody = (status: number, requestId: string) => Body;

const HUGE_BYTES = 4 * 1024 * 1024;
const BOMB_BYTES = 32 * 1024 * 1024;

const JSON_TYPE = { 'content-type': 'application/json' };

const toJson = (value: unknown): Body => ({ headers: JSON_TYPE, body: Buffer.from(JSON.stringify(value)) });

/** Bodies that servers have been seen to send with an error, or that a hostile one might. */
const BODIES = {
  graph: (status, requestId) => toJson(toGraphError(status, 'The sandbox was asked to fail.', requestId)),
  intune: (status, requestId) => toJson(toIntuneError(status, requestId, { retryAfter: 13 })),
  'intune-nested': (status, requestId) =>
    toJson(toIntuneError(status, requestId, { nested: true, retryAfter: 17 })),
  html: () => ({
    headers: { 'content-type': 'text/html' },
    body: Buffer.from('<!DOCTYPE html><html><h1>Our services are not available right now</h1></html>'),
  }),
  empty: () => ({ headers: {}, body: Buffer.alloc(0) }),
  broken: () => ({ headers: JSON_TYPE, body: Buffer.from('{"error":{"code":"UnknownError","mess') }),
  array: () => toJson([null, { error: 'not an object' }]),
  huge: () => ({ headers: JSON_TYPE, body: Buffer.from(`{"value":"${'x'.repeat(HUGE_BYTES)}"}`) }),
  bomb: () => ({
    headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
    body: gzipSync(Buffer.alloc(BOMB_BYTES, ' ')),
  }),
} as const satisfies Record<string, ToBody>;

export type BodyShape = keyof typeof BODIES;

export const isBodyShape = (name: string): name is BodyShape => Object.hasOwn(BODIES, name);

/** `requestId` is the one the client sent, which Intune repeats in its message. */
export const toBody = (shape: BodyShape, status: number, requestId: string = randomUUID()): Body =>
  BODIES[shape](status, requestId);
