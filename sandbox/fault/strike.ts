import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { toEmptyAnswer, type Answer, type AnswerHeaders } from '../http/answer.ts';
import { send, sendInChunks, toBytes } from '../http/send.ts';
import { toBody } from './body-shapes.ts';
import type { Effect } from './fault.ts';

/** Has the effect of the request and says how it would be answered. */
export type Act = (mode: Readonly<{ stale: boolean }>) => Answer | Promise<Answer>;

export type Struck = Readonly<{
  response: ServerResponse;
  act: Act;
  /** Sent with every answer, a fault's too (unless it brings its own). */
  extraHeaders?: AnswerHeaders;
  /** The `client-request-id` sent, which error bodies repeat. */
  requestId?: string | undefined;
  /** What a delay waits by. */
  wait?: ((milliseconds: number) => Promise<unknown>) | undefined;
}>;

/** Answers a request, with the fault if one strikes. */
export async function answerWith(effect: Effect | undefined, struck: Struck): Promise<void> {
  const { response, extraHeaders = {}, wait = sleep } = struck;
  const { socket } = response.req;
  const act = async (): Promise<Answer> => {
    const answer = await struck.act({ stale: effect?.kind === 'stale' });
    return { ...answer, headers: { ...extraHeaders, ...answer.headers } };
  };
  const actAfter = async (): Promise<Answer | undefined> => {
    const acts = effect !== undefined && 'when' in effect && effect.when === 'after';
    return acts ? act() : undefined;
  };

  switch (effect?.kind) {
    case 'hang':
      await actAfter();
      return;
    case 'reset':
      await actAfter();
      return reset(socket);
    case 'delay': {
      if (effect.when === 'before') await wait(effect.ms);
      const answer = await act();
      if (effect.when === 'after') await wait(effect.ms);
      return send(response, answer);
    }
    case 'answer': {
      const truth = (await actAfter()) ?? toEmptyAnswer(effect.status ?? 500, extraHeaders);
      return sendAltered(response, alter(effect, truth, struck.requestId), effect.length);
    }
    default:
      return deliver(effect, response, await act());
  }
}

async function deliver(effect: Effect | undefined, response: ServerResponse, answer: Answer): Promise<void> {
  const { socket } = response.req;
  switch (effect?.kind) {
    case 'cut': {
      const bytes = toBytes(answer, { withLength: true });
      const head = bytes.indexOf('\r\n\r\n');
      const body = answer.body.length === 0 ? head : head + 4 + Math.floor(answer.body.length / 2);
      socket.end(bytes.subarray(0, effect.at === 'head' ? Math.floor(head / 2) : body));
      return undefined;
    }
    case 'drip':
      return drip(socket, toBytes(answer, { withLength: true }), effect.everyMs);
    case 'informational':
      socket.write(toInformational(effect.status));
      return send(response, answer);
    case 'closeIdle':
      response.once('finish', () => socket.end());
      return send(response, answer);
    default:
      return send(response, answer);
  }
}

const toInformational = (status: number): string =>
  status === 101
    ? 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: sandbox\r\n\r\n'
    : `HTTP/1.1 ${status} Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n`;

type AnswerEffect = Extract<Effect, { kind: 'answer' }>;

function alter(effect: AnswerEffect, truth: Answer, requestId: string | undefined): Answer {
  const status = effect.status ?? truth.status;
  const own = readOwnBody(effect, status, requestId);
  const headers = { ...truth.headers, ...(own && { 'content-type': '', ...own.headers }), ...effect.headers };
  return {
    status,
    headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== '')),
    body: own?.body ?? truth.body,
  };
}

function readOwnBody({ body, when }: AnswerEffect, status: number, requestId: string | undefined) {
  if (typeof body === 'object') {
    return { headers: { 'content-type': 'application/json' }, body: Buffer.from(body.text) };
  }
  if (body === undefined && (when === 'after' || status < 400)) return undefined;
  return toBody(body ?? 'graph', status, requestId);
}

function sendAltered(response: ServerResponse, answer: Answer, length: AnswerEffect['length']): void {
  if (length === 'known') return send(response, answer);
  if (length === 'chunked') return sendInChunks(response, answer);
  response.req.socket.end(toBytes(answer, { withLength: false }));
  return undefined;
}

async function drip(socket: Socket, bytes: Buffer, everyMs: number): Promise<void> {
  for (const byte of bytes) {
    if (socket.destroyed) return;
    socket.write(Uint8Array.of(byte));
    await sleep(everyMs);
  }
  socket.end();
}

/** TLS sockets have no `resetAndDestroy` that reaches the wire; the TCP socket below them has. */
function reset(socket: Socket): void {
  const below: unknown = socket instanceof TLSSocket ? Reflect.get(socket, '_parent') : socket;
  if (below instanceof Object && 'resetAndDestroy' in below && typeof below.resetAndDestroy === 'function') {
    below.resetAndDestroy();
  }
  socket.destroy();
}
